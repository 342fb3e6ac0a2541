"""`sscd dedup`: groups of copies within one set of pictures."""

import csv
import io
import json as json_library
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sscd.augment.tensors import ResizeMode
from sscd.commands.choose_threshold import (
    ThresholdOptions,
    carried_threshold,
    choose_threshold,
    find_calibration,
)
from sscd.commands.describing import DescribeOptions, SetDescriber, work_directory
from sscd.commands.matching import MatchSet, describe_sets
from sscd.data.descriptors import Descriptors
from sscd.describing.request import PARTITION
from sscd.errors import UserError
from sscd.files import atomic_path, check_output_place
from sscd.models.describer import DeviceName
from sscd.report.group_sheet import write_group_sheet
from sscd.search.groups import CopyGroup, connected_groups
from sscd.search.pairs import best_pairs_within
from sscd.search.postprocessing.chain import Side
from sscd.terminal import Result, warn, watched, working

Places = dict[str, int]

_HEADER = ("group", "id", "path", "nearest_id", "score")


def dedup(
    pictures: str,
    checkpoint: Path | None = None,
    output: Path = Path("duplicates.csv"),
    precision: float = 0.9,
    threshold: float | None = None,
    calibration: Path | None = None,
    copies: float | None = 0.05,
    limit: int = 5_000_000,
    sheet: Path | None = None,
    shown: int = 50,
    postprocessing: Path | None = None,
    training: str | None = None,
    size: int | None = None,
    resize: ResizeMode | None = None,
    batch_size: int = 64,
    workers: int | None = None,
    device: DeviceName = "auto",
    partition: int = PARTITION,
    processes: int | None = None,
) -> Result | None:
    """Find the groups of copies in one set of pictures, and write them as CSV and JSON.

    Two pictures are in one group where a chain of matches joins them. Descriptors are kept beside
    the output: interrupted, or with another threshold, the same command goes on with them.

    Args:
        pictures: A folder, a list, shards or Parquet; or descriptors.
        checkpoint: A network, where there are pictures to describe: a checkpoint of `sscd train`,
            what `sscd export --model-only` wrote, or published SSCD weights; by default the model
            that comes with sscd.
        output: The CSV file to write; the same as JSON goes beside it.
        precision: Share of the matches that shall be right; the threshold follows from it.
        threshold: Accept pairs from this score on, in place of `precision`.
        calibration: What `sscd evaluate --calibration` wrote; by default calibration.json of the
            checkpoint's run, or what the network carries.
        copies: Share of the pictures that you expect to be copies of another.
        limit: Most matches; the best are kept.
        sheet: A JPEG file with groups to look at.
        shown: How many groups it shows, chosen at random.
        postprocessing: A descriptor file whose post-processing is applied.
        training: Training pictures or descriptors, where the post-processing needs them.
        size: Pixels that pictures are resized to; by default as in the training's validation.
        resize: Which side `size` is of; by default as in the training's validation.
        batch_size: Pictures described at once.
        workers: Processes that decode pictures; by default 4, or one for each processor.
        device: Where network and search run.
        partition: Pictures of a part.
        processes: How many describe on this machine; by default one for each GPU.
    """
    _check(output, sheet, limit=limit, shown=shown)
    wanted = ThresholdOptions(threshold, precision, calibration, copies)
    known = find_calibration(wanted, checkpoint, pictures=[pictures])
    options = DescribeOptions(checkpoint, size, resize, batch_size, workers, device)
    describer = SetDescriber(options, work_directory(output), partition, processes)
    if threshold is None and known is None:
        wanted, known = carried_threshold(
            wanted,
            describer.trained,
            postprocessing=postprocessing,
            named=checkpoint is not None,
        )
    sources: dict[Side, str] = {"reference": pictures}
    sets = describe_sets(
        describer,
        sources,
        postprocessing=postprocessing,
        training=training,
        device=device,
        calibration=known,
        threshold=wanted,
    )
    if sets is None:
        return None
    found = sets["reference"]
    if sheet is not None and found.pictures is None:
        raise UserError(f"--sheet {sheet}: {pictures} holds descriptors, no pictures to show")
    others, origin = max(len(found.descriptors.ids) - 1, 1), found.descriptors.origin
    chosen = choose_threshold(wanted, known, references=others, origin=origin)
    groups, matches = _search(found.descriptors, from_score=chosen, limit=limit, device=device)
    with working("writing groups"):
        _write(output, sheet, groups, found, shown=shown)
    describer.say_failures(output)
    grouped = _Groups.of(output, groups, found, matches=matches, threshold=chosen)
    return Result(asdict(grouped), [grouped.line])


def _check(output: Path, sheet: Path | None, *, limit: int, shown: int) -> None:
    if limit < 1 or shown < 1:
        raise UserError(f"--limit {limit} --shown {shown}: give at least 1 of both")
    if output.suffix == ".json":
        raise UserError(
            f"--output {output}: the JSON goes beside it; give a file that ends in .csv"
        )
    if sheet is not None and sheet.suffix.lower() not in (".jpg", ".jpeg"):
        raise UserError(f"--sheet {sheet}: give a file that ends in .jpg")
    check_output_place(output)


@dataclass(frozen=True)
class _Groups:
    output: str
    groups: int
    pictures_in_groups: int
    pictures: int
    matches: int
    largest: int
    threshold: float

    @classmethod
    def of(
        cls,
        output: Path,
        groups: Sequence[CopyGroup],
        found: MatchSet,
        *,
        matches: int,
        threshold: float,
    ) -> "_Groups":
        sizes = [len(group.members) for group in groups]
        return cls(
            output=str(output),
            groups=len(groups),
            pictures_in_groups=sum(sizes),
            pictures=len(found.descriptors.ids),
            matches=matches,
            largest=max(sizes, default=0),
            threshold=threshold,
        )

    @property
    def line(self) -> str:
        noun = "group" if self.groups == 1 else "groups"
        return (
            f"{self.output}: {self.groups:,} {noun} with {self.pictures_in_groups:,} of "
            f"{self.pictures:,} pictures, the largest with {self.largest:,}, from score "
            f"{self.threshold:.4f} on; the same as JSON beside it"
        )


def _search(
    descriptors: Descriptors, *, from_score: float, limit: int, device: DeviceName
) -> tuple[list[CopyGroup], int]:
    """Groups, and how many pairs match."""
    with watched(descriptors.vectors, "searching", unit="pictures") as vectors:
        pairs = best_pairs_within(vectors, limit=limit, device=device, floor=from_score)
    if len(pairs.scores) == limit:
        warn(f"there are {limit:,} matches or more; the best are kept, see --limit")
    with working("joining matches to groups"):
        groups = connected_groups(pairs, count=len(descriptors.ids))
    return groups, len(pairs.scores)


def _rows(number: int, group: CopyGroup, found: MatchSet, places: Places) -> list[dict[str, Any]]:
    ids = found.descriptors.ids
    columns = (group.members.tolist(), group.nearest.tolist(), group.scores.tolist())
    return [
        {
            "group": number,
            "id": ids[member],
            "path": str(found.pictures.path(places[ids[member]])) if found.pictures else "",
            "nearest_id": ids[nearest],
            "score": score,
        }
        for member, nearest, score in zip(*columns, strict=True)
    ]


def _places(found: MatchSet) -> Places:
    """Id → position among the pictures, of which the unreadable ones have no descriptor."""
    ids = found.pictures.ids if found.pictures else []
    return {name: place for place, name in enumerate(ids)}


def _write(
    output: Path, sheet: Path | None, groups: Sequence[CopyGroup], found: MatchSet, *, shown: int
) -> None:
    places = _places(found)
    rows = [_rows(number, group, found, places) for number, group in enumerate(groups, start=1)]
    _write_tables(output, rows)
    if sheet is not None:
        _draw(sheet, groups, found, places, shown=shown)


def _write_tables(output: Path, rows: Sequence[list[dict[str, Any]]]) -> None:
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, _HEADER, lineterminator="\n")
    writer.writeheader()
    for group in rows:
        writer.writerows(group)
    groups = [{"group": group[0]["group"], "members": group} for group in rows]
    listing = output.with_suffix(".json")
    for path, text in ((output, table.getvalue()), (listing, json_library.dumps(groups, indent=1))):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")


def _draw(
    sheet: Path, groups: Sequence[CopyGroup], found: MatchSet, places: Places, *, shown: int
) -> None:
    if found.pictures is None or not groups:
        return
    chosen = sorted(random.Random(0).sample(range(len(groups)), min(shown, len(groups))))
    rows = []
    for number in chosen:
        group = groups[number]
        positions = [places[found.descriptors.ids[member]] for member in group.members.tolist()]
        title = f"group {number + 1}, {len(positions)} pictures"
        rows.append((title, positions, group.scores.tolist()))
    write_group_sheet(sheet, rows, found.pictures)
