"""Makes a laboratory: photographs shared out, two benchmarks, packed training pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.recipes.lab import VERSION, Benchmark, Lab, read_json, write_json
from benchmarks.recipes.pictures import Shares, link_pictures, share_out
from sscd import __version__
from sscd.commands.make_disc import make_disc
from sscd.commands.shard import shard
from sscd.data.names_digest import names_digest
from sscd.data.parallel import decoding_workers
from sscd.data.records import ImageSet
from sscd.data.sources import cache_directory
from sscd.errors import UserError
from sscd.files import check_writable_directory
from sscd.terminal import Result

_COUNTS = ("references", "queries", "distractors", "extras")
_SEEDS: dict[Benchmark, int] = {"development": 11, "test": 12}
_VIEWS, _BATCH = 2, 64  # of the published row, which says what all may cost


def prepare(
    photos: Path,
    out: Path,
    development: list[int] | None = None,
    test: list[int] | None = None,
    epochs: int = 24,
    workers: int | None = None,
    cache: Path | None = None,
) -> Result:
    """Make a laboratory from a folder of photographs.

    Interrupted, the same command goes on; finished, it makes nothing anew.

    Args:
        photos: The folder; it is only read.
        out: The directory to make.
        development: References, queries, distractors and extra pictures of the development
            benchmark; by default 750 350 150 100.
        test: Those of the test benchmark; by default 1500 700 350 150.
        epochs: Of the published recipe, two views a picture at 64 pixels; no row may cost more.
        workers: Processes; by default 4, or one for each processor.
        cache: Where perceptual hashes are kept; by default `sscd` in `~/.cache`.
    """
    counts = {
        "development": counts_of(development or [750, 350, 150, 100], option="--development"),
        "test": counts_of(test or [1500, 700, 350, 150], option="--test"),
    }
    if epochs < 1:
        raise UserError(f"--epochs {epochs}: give at least 1")
    lab, processes = Lab(out), decoding_workers(workers)
    check_writable_directory(out)
    shares = Shares()
    parts = share_out(photos, shares, cache=cache_directory(cache), workers=processes)
    values: dict[str, Any] = {
        "version": VERSION,
        "photos": photos.resolve().name,
        "shares": asdict(shares),
        "pictures": {name: _said(pictures) for name, pictures in parts.items()},
        "benchmarks": {name: {**counts[name], "seed": seed} for name, seed in _SEEDS.items()},
        "views": views_budget(len(parts["training"]), epochs=epochs),
    }
    _check_same(lab, values)
    for name, pictures in parts.items():
        link_pictures(pictures, lab.pictures(name))
    for name, seed in _SEEDS.items():
        own = counts[name]
        make_disc(
            lab.pictures(name),
            out / name,
            references=own["references"],
            queries=own["queries"],
            distractors=own["distractors"],
            extras=own["extras"],
            training=0,
            seed=seed,
            workers=processes,
            cache=cache,
        )
    shard(lab.pictures("training"), lab.shards, workers=processes)
    for name in _SEEDS:
        values["benchmarks"][name]["checksums"] = _digest_of(out / name / "checksums.sha256")
    write_json(lab.budget, {**values, "sscd": __version__})
    return Result(values, [_line(lab, values)])


def counts_of(given: Sequence[int], *, option: str) -> dict[str, int]:
    """Counts of a benchmark by their names.

    Raises:
        UserError: There are not four of them, or one is negative.
    """
    if len(given) != len(_COUNTS) or min(given) < 0:
        raise UserError(f"{option} {' '.join(map(str, given))}: give {', '.join(_COUNTS)}")
    return dict(zip(_COUNTS, given, strict=True))


def views_budget(pictures: int, *, epochs: int) -> dict[str, Any]:
    """What every training may cost, which is what the published recipe costs.

    >>> views_budget(3028, epochs=24)["units"]
    144384
    """
    seen = pictures // _BATCH * _BATCH if pictures >= _BATCH else pictures
    return {
        "units": epochs * seen * _VIEWS,
        "unit": "a view of 64 px through a ResNet18, forward and backward, by counted operations",
        "epochs": epochs,
        "pictures": seen,
        "views": _VIEWS,
    }


def _said(pictures: ImageSet) -> dict[str, Any]:
    return {"count": len(pictures), "names_digest": names_digest(pictures)}


def _digest_of(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_same(lab: Lab, values: Mapping[str, Any]) -> None:
    """Check that a finished laboratory was made of the same pictures and sizes."""
    if not lab.budget.is_file():
        return
    before = read_json(lab.budget)
    for name in _SEEDS:
        before.get("benchmarks", {}).get(name, {}).pop("checksums", None)
    for key, value in values.items():
        if before.get(key) != value:
            raise UserError(
                f"{lab.path} was made with other {key}: {before.get(key)}, not {value}; give "
                "another directory"
            )


def _line(lab: Lab, values: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{name} {part['count']:,}" for name, part in values["pictures"].items())
    return f"{lab.path}: {counts} pictures; {values['views']['units']:,} views a training"
