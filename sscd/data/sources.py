"""One door to all layouts: DISC21, a plain folder, or procedural pictures."""

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sscd.data.disc21 import EDITS_FILE, is_disc21, read_disc21
from sscd.data.folder import split_folder
from sscd.data.procedural_set import procedural_collection
from sscd.data.query_sets import render_queries
from sscd.data.records import Collection
from sscd.data.shards.leaks import without_leaks
from sscd.data.shards.pictures import ShardedPictures
from sscd.errors import UserError

Layout = Literal["auto", "disc21", "folder", "procedural"]


@dataclass(frozen=True)
class FolderConfig:
    """How a plain folder becomes training, references and validation queries.

    Attributes:
        references: Share of the pictures that are searched in validation.
        distractors: Share that becomes distractor queries, edited and not among the references.
        copies: At most this many references are edited to queries.
        max_distractors: At most this many distractor queries.
        seed: Of the edits; not the training's, so that runs share one validation set.
    """

    references: float = 0.2
    distractors: float = 0.1
    copies: int = 500
    max_distractors: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.references, self.distractors) <= 0 or self.references + self.distractors >= 1:
            raise ValueError(
                f"references and distractors got {self.references} and {self.distractors}; "
                "expected shares above 0 that leave some for training"
            )
        if min(self.copies, self.max_distractors) < 1:
            raise ValueError("copies and max_distractors must be at least 1")


@dataclass(frozen=True)
class ProceduralConfig:
    """How many procedural pictures are drawn.

    Attributes:
        size: Side of the pictures in pixels.
        training: Training pictures.
        references: Reference pictures.
        copies: Queries that are edited references.
        distractors: Queries that are edited copies of pictures not among the references.
        seed: Of pictures and edits.
    """

    size: int = 128
    training: int = 2000
    references: int = 300
    copies: int = 150
    distractors: int = 150
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.training, self.references, self.copies, self.distractors)
        if self.size < 32 or min(counts) < 1:
            raise ValueError("size must be at least 32 and every count at least 1")
        if self.copies > self.references:
            raise ValueError(
                f"copies got {self.copies}; expected at most {self.references} references"
            )


def cache_directory(cache: Path | None) -> Path:
    """The cache in force: `cache`, else `sscd` in `$XDG_CACHE_HOME` or `~/.cache`."""
    if cache is not None:
        return cache
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sscd"


def open_collection(
    root: Path | None,
    *,
    layout: Layout = "auto",
    cache: Path | None = None,
    folder: FolderConfig = FolderConfig(),
    procedural: ProceduralConfig = ProceduralConfig(),
    shards: str | None = None,
    shard_cache_gb: float | None = None,
    workers: int = 1,
) -> Collection:
    """Open a data set, making what its validation lacks in the cache.

    Args:
        root: Its directory; None for procedural pictures.
        layout: What lies there; `auto` looks.
        cache: Where drawn pictures, edited queries and hashes are kept.
        folder: For a plain folder.
        procedural: For procedural pictures.
        shards: A directory or URL of shards that holds the training pictures in place of `root`.
        shard_cache_gb: What the cache may hold of shards behind a URL, in 10⁹ bytes; beyond, the
            longest unused are removed. None for no limit.
        workers: Processes that draw, hash and edit.

    Raises:
        UserError: The directory is missing, empty or not what `layout` says, the shards hold
            pictures that are validated on, or `shard_cache_gb` is no size.
    """
    kept = cache_directory(cache)
    opened = _open(root, kept, layout=layout, folder=folder, procedural=procedural, workers=workers)
    if shards is None:
        return opened
    return _from_shards(opened, shards, cache=kept, limit_gb=shard_cache_gb)


def _open(
    root: Path | None,
    kept: Path,
    *,
    layout: Layout,
    folder: FolderConfig,
    procedural: ProceduralConfig,
    workers: int,
) -> Collection:
    if root is None:
        if layout not in ("auto", "procedural"):
            raise UserError(f"data.layout {layout} needs a directory; give --data.root DIR")
        return _procedural(kept, procedural, workers)
    if layout == "procedural":
        raise UserError(f"data.layout procedural reads no directory; leave out --data.root {root}")
    if layout == "disc21" or (layout == "auto" and is_disc21(root)):
        return read_disc21(root)
    if layout == "auto" and (part := _part_of_disc21(root)):
        raise UserError(
            f"{root} has {part}/ like DISC21, but not all of it; complete it (references/, "
            "dev_queries/ and a ground truth), or say --data.layout folder"
        )
    return _folder(root, kept, folder, workers)


def _from_shards(
    opened: Collection, location: str, *, cache: Path, limit_gb: float | None
) -> Collection:
    """The collection with its training pictures out of shards."""
    if limit_gb is not None and not (math.isfinite(limit_gb) and limit_gb > 0):
        raise UserError(
            f"data.shard_cache_gb {limit_gb}: give a size above 0, or leave it out for no limit"
        )
    limit = None if limit_gb is None else int(limit_gb * 1e9)
    pictures = ShardedPictures.open(location, cache=cache, limit=limit)
    pictures, leaks = without_leaks(pictures, opened.references, opened.queries)
    left_out = (*opened.left_out, *pictures.broken, *leaks)
    return replace(opened, training=pictures, left_out=left_out)


def _part_of_disc21(root: Path) -> str | None:
    names = ("references", "dev_queries", "test_queries")
    return next((name for name in names if (root / name).is_dir()), None)


def _procedural(cache: Path, config: ProceduralConfig, workers: int) -> Collection:
    return procedural_collection(
        cache,
        seed=config.seed,
        size=config.size,
        training=config.training,
        references=config.references,
        distractors=config.distractors,
        copies=config.copies,
        workers=workers,
    )


def _folder(root: Path, cache: Path, config: FolderConfig, workers: int) -> Collection:
    split = split_folder(
        root,
        cache=cache,
        fractions=(
            1 - config.references - config.distractors,
            config.references,
            config.distractors,
        ),
        workers=workers,
    )
    copies = min(config.copies, len(split.references))
    distractors = min(config.max_distractors, len(split.query_sources))
    queries, truth = render_queries(
        split.references,
        split.query_sources,
        copies=copies,
        distractors=distractors,
        seed=config.seed,
        out=cache / "queries",
        workers=workers,
    )
    return Collection(
        training=split.training,
        references=split.references,
        queries=queries,
        truth=truth,
        left_out=split.left_out,
        unreadable=split.unreadable,
        edits=queries.root.parent / EDITS_FILE,
    )
