"""`sscd match`: which pictures of one set are copies of pictures of another."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.augment.tensors import ResizeMode
from sscd.commands.choose_threshold import (
    ThresholdOptions,
    carried_threshold,
    choose_threshold,
    find_calibration,
)
from sscd.commands.describing import DescribeOptions, SetDescriber, work_directory
from sscd.commands.matching import describe_sets
from sscd.data.descriptors import Descriptors
from sscd.describing.request import PARTITION
from sscd.errors import UserError
from sscd.files import check_output_place
from sscd.formats.track1.csv_file import write_track1
from sscd.models.describer import DeviceName
from sscd.search.pairs import CHALLENGE_LIMIT, Pairs, best_pairs
from sscd.search.postprocessing.chain import Side
from sscd.terminal import Result, warn, watched

_LINES = 65_536


def match(
    queries: str,
    references: str,
    checkpoint: Path | None = None,
    output: Path = Path("matches.csv"),
    precision: float = 0.9,
    threshold: float | None = None,
    calibration: Path | None = None,
    copies: float | None = None,
    limit: int = CHALLENGE_LIMIT,
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
    """Find the copies of references among queries, and write them as CSV, the surest first.

    Descriptors are kept beside the output: interrupted, or with another threshold, the same command
    goes on with them.

    Args:
        queries: Pictures that may be copies: a folder, a list, shards or Parquet; or descriptors.
        references: Pictures that may have been copied, likewise.
        checkpoint: A network, where there are pictures to describe: a checkpoint of `sscd train`,
            what `sscd export --model-only` wrote, or published SSCD weights; by default the model
            that comes with sscd.
        output: The CSV file to write: query_id,reference_id,score.
        precision: Share of the matches that shall be right; the threshold follows from it.
        threshold: Accept pairs from this score on, in place of `precision`.
        calibration: What `sscd evaluate --calibration` wrote; by default calibration.json of the
            checkpoint's run, or what the network carries.
        copies: Share of queries that you expect to be copies; by default as in the calibration.
        limit: Most matches; the best are kept.
        postprocessing: A descriptor file whose post-processing is applied to all.
        training: Training pictures or descriptors, where the post-processing needs them.
        size: Pixels that pictures are resized to; by default as in the training's validation.
        resize: Which side `size` is of; by default as in the training's validation.
        batch_size: Pictures described at once.
        workers: Processes that decode pictures; by default 4, or one for each processor.
        device: Where network and search run.
        partition: Pictures of a part.
        processes: How many describe on this machine; by default one for each GPU.
    """
    if limit < 1:
        raise UserError(f"--limit {limit}: give at least 1")
    wanted = ThresholdOptions(threshold, precision, calibration, copies)
    known = find_calibration(wanted, checkpoint, pictures=[queries, references])
    check_output_place(output)
    options = DescribeOptions(checkpoint, size, resize, batch_size, workers, device)
    describer = SetDescriber(options, work_directory(output), partition, processes)
    if threshold is None and known is None:
        wanted, known = carried_threshold(
            wanted,
            describer.trained,
            postprocessing=postprocessing,
            named=checkpoint is not None,
        )
    sources: dict[Side, str] = {"query": queries, "reference": references}
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
    asked, searched = sets["query"].descriptors, sets["reference"].descriptors
    chosen = choose_threshold(wanted, known, references=len(searched.ids), origin=asked.origin)
    with watched(searched.vectors, "searching") as vectors:
        found = best_pairs(asked.vectors, vectors, limit=limit, device=device, floor=chosen)
    matches = _write_matches(output, asked, searched, found, from_score=chosen, limit=limit)
    describer.say_failures(output)
    return Result(asdict(matches), [matches.line])


@dataclass(frozen=True)
class _Matches:
    output: str
    matches: int
    queries_matched: int
    queries: int
    references: int
    threshold: float

    @property
    def line(self) -> str:
        noun = "match" if self.matches == 1 else "matches"
        return (
            f"{self.output}: {self.matches:,} {noun} from score {self.threshold:.4f} on; "
            f"{self.queries_matched:,} of {self.queries:,} queries have any among "
            f"{self.references:,} references"
        )


def _write_matches(
    output: Path,
    asked: Descriptors,
    searched: Descriptors,
    found: Pairs,
    *,
    from_score: float,
    limit: int,
) -> _Matches:
    if len(found.scores) == limit:
        warn(f"there are {limit:,} matches or more; the best are kept, see --limit")
    write_track1(output, _blocks(found, asked, searched), limit=limit)
    return _Matches(
        output=str(output),
        matches=len(found.scores),
        queries_matched=len(np.unique(found.query)),
        queries=len(asked.ids),
        references=len(searched.ids),
        threshold=from_score,
    )


def _blocks(
    found: Pairs, queries: Descriptors, references: Descriptors
) -> Iterator[tuple[list[str], list[str], NDArray[np.float32]]]:
    for start in range(0, len(found.scores), _LINES):
        rows = slice(start, start + _LINES)
        yield (
            [queries.ids[row] for row in found.query[rows].tolist()],
            [references.ids[row] for row in found.reference[rows].tolist()],
            found.scores[rows],
        )
