"""The pictures of the laboratory: a folder's, shared out in four parts that have none in common."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.data.folder import NEAR_DUPLICATE_DISTANCE
from sscd.data.listing import scan_images
from sscd.data.near_duplicates import near_duplicate_groups
from sscd.data.perceptual_hash import hash_images
from sscd.data.records import ImageSet
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError

SALT = "recipes"


@dataclass(frozen=True)
class Shares:
    """Shares of the pictures: what each part is for, and that it is for nothing else.

    Attributes:
        training: What networks learn from.
        normalisation: Unseen pictures that whitening and score normalisation are learnt on.
        development: Queries and references that choices between rows are made by.
        test: Queries and references that are looked at once, at the end.
    """

    training: float = 0.42
    normalisation: float = 0.08
    development: float = 0.17
    test: float = 0.33

    def parts(self) -> tuple[str, ...]:
        """The names, in the order in which path hashes fall to them."""
        return "training", "normalisation", "development", "test"


def share_out(photos: Path, shares: Shares, *, cache: Path, workers: int) -> dict[str, ImageSet]:
    """Share a folder's pictures out, near-copies and mirror images of each other to one part.

    A picture's part follows from the smallest path hash of its group, so that every machine and
    every run has the same.

    Args:
        photos: The folder; it is only read.
        shares: The shares.
        cache: Where perceptual hashes are remembered.
        workers: How many processes hash pictures.

    Raises:
        UserError: The folder cannot be read, or a part would be empty.
    """
    images = scan_images(photos, name="photos").images
    hashed = hash_images(images, workers=workers, cache=cache, description="hashing pictures")
    readable = np.flatnonzero(hashed.readable)
    groups = near_duplicate_groups(
        hashed.hashes[readable],
        max_distance=NEAR_DUPLICATE_DISTANCE,
        mirrored=hashed.mirrored[readable],
    )
    own = stable_fractions(images.names[readable].tolist(), salt=SALT)
    part = part_of(own, groups, shares)
    found = {
        name: images.subset(readable[part == number], name=name)
        for number, name in enumerate(shares.parts())
    }
    for name, pictures in found.items():
        if not len(pictures):
            raise UserError(f"{photos}: too few pictures, none fell to {name}; add pictures")
    return found


def part_of(
    own: NDArray[np.float64], groups: NDArray[np.int64], shares: Shares
) -> NDArray[np.int64]:
    """The number of each picture's part.

    Args:
        own: (n,) path hashes in [0, 1).
        groups: (n,) the group of each.
        shares: The shares, in order.
    """
    shared = np.full(len(own), np.inf)
    np.minimum.at(shared, groups, own)
    # A group's smallest hash is no longer uniform, so that shares are those of ranks.
    smallest = shared[groups]
    rank = np.searchsorted(np.sort(smallest), smallest, side="left") / len(own)
    bounds = np.cumsum([getattr(shares, name) for name in shares.parts()])[:-1]
    return np.searchsorted(bounds, rank, side="right").astype(np.int64)


def link_pictures(pictures: ImageSet, directory: Path) -> None:
    """Put pictures into a directory of their own, as links, and take out what is not theirs.

    Raises:
        UserError: Two would have one name, or a link lies there that leads elsewhere.
    """
    directory.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, Path] = {}
    for index in range(len(pictures)):
        place = pictures.path(index).resolve()
        # Of pictures in folders: a flat directory is what the commands read alike everywhere.
        name = os.fsdecode(bytes(pictures.names[index])).replace("/", "__")
        if name in wanted:
            raise UserError(f"{wanted[name]} and {place} would both be {name}; rename one")
        wanted[name] = place
    for left in directory.iterdir():
        if left.is_symlink() and left.name not in wanted:
            left.unlink()
    for name, place in wanted.items():
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(place)
        elif link.resolve() != place:
            raise UserError(f"{link} leads to another picture; give another directory")
