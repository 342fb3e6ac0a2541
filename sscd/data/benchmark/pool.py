"""The pictures of a folder that a benchmark may use: readable, one of each group of near-copies."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sscd.data.benchmark.request import BenchmarkRequest
from sscd.data.listing import Listing
from sscd.data.near_duplicates import near_duplicate_groups
from sscd.data.perceptual_hash import hash_images
from sscd.data.records import ImageSet
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError
from sscd.terminal import working


@dataclass(frozen=True, eq=False)
class Pool:
    """The pictures that may be used.

    Attributes:
        images: In a random order that is stable: a picture more or less moves no other.
        found: How many pictures the folder holds.
        blank: How many are left out as too small or too even to be told from another.
        near_copies: How many are left out as near-copies or mirror images of one that is used.
        unreadable: (path, reason) of every picture that could not be read.
    """

    images: ImageSet
    found: int
    blank: int
    near_copies: int
    unreadable: tuple[tuple[Path, str], ...]


def find_pool(listing: Listing, request: BenchmarkRequest, *, cache: Path, workers: int) -> Pool:
    """Hash a folder's pictures and leave out blank ones and near-copies (DISC21 paper, 4.1).

    Mirror images count as near-copies. Of a group of chained perceptual hashes the picture is kept
    whose path comes first in the stable order.

    Args:
        listing: The folder.
        request: How near near-copies are, and the seed of the order.
        cache: A directory that remembers perceptual hashes.
        workers: How many processes hash pictures.

    Raises:
        UserError: Too few pictures are left, or the cache cannot be written.
    """
    images = listing.images
    hashed = hash_images(images, workers=workers, cache=cache, description="hashing pictures")
    readable = np.flatnonzero(hashed.readable & ~hashed.blank)
    with working("grouping near-copies"):
        groups = near_duplicate_groups(
            hashed.hashes[readable],
            max_distance=request.near_duplicate_distance,
            mirrored=hashed.mirrored[readable],
        )
    names = images.names[readable].tolist()
    order = np.argsort(stable_fractions(names, salt=f"benchmark/{request.seed}"), kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    kept = readable[order[np.sort(first)]]
    pool = Pool(
        images=images.subset(kept, name="pictures"),
        found=len(images),
        blank=int((hashed.readable & hashed.blank).sum()),
        near_copies=len(readable) - len(kept),
        unreadable=hashed.failures,
    )
    _check_enough(pool, request.settled(len(kept)), root=images.root)
    return pool


def _check_enough(pool: Pool, request: BenchmarkRequest, *, root: Path) -> None:
    needed, there = sum(request.parts.values()), len(pool.images)
    if there >= needed:
        return
    sums = " + ".join(f"{count:,} {part}" for part, count in request.parts.items())
    least = needed - request.parts["training"]
    advice = (
        f"--training {there - least} would fit"
        if request.training and there > least
        else "ask for fewer references, queries, distractors, extras or training pictures"
    )
    raise UserError(
        f"{root}: {needed:,} pictures are needed ({sums}); it holds {pool.found:,}, of which "
        f"{len(pool.unreadable):,} cannot be read, {pool.blank:,} are too small or of one colour "
        f"and {pool.near_copies:,} are near-copies, so "
        f"{there:,} are left; add pictures, or {advice}"
    )
