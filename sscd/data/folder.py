"""A plain folder of pictures, split so that near-duplicates stay together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sscd.data.listing import Listing, no_pictures, scan_images
from sscd.data.near_duplicates import near_duplicate_groups
from sscd.data.perceptual_hash import ImageHashes, hash_images
from sscd.data.records import ImageSet
from sscd.data.skipped import SkipLog
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError
from sscd.terminal import working

# Bits of 64. "Relatively narrow", as DISC21 has it (section 4.1): at 2 bits the pairs among 7,209
# photographs of objects are one picture twice, but for a few of the same object; from 4 bits on,
# different objects of one kind on white chain into large groups.
NEAR_DUPLICATE_DISTANCE = 2


@dataclass(frozen=True, eq=False)
class FolderSplit:
    """The parts of a folder.

    Attributes:
        training: Pictures to learn from.
        references: Pictures to be searched, one of each near-duplicate group.
        query_sources: Pictures that are edited to distractor queries.
        left_out: One line a reason, for people: what was counted and not used.
        unreadable: (path, reason) of every picture that could not be read.
    """

    training: ImageSet
    references: ImageSet
    query_sources: ImageSet
    left_out: tuple[str, ...]
    unreadable: tuple[tuple[Path, str], ...]


def split_folder(
    root: Path,
    *,
    cache: Path,
    fractions: tuple[float, float, float] = (0.7, 0.2, 0.1),
    near_duplicate_distance: int = NEAR_DUPLICATE_DISTANCE,
    workers: int = 1,
) -> FolderSplit:
    """Split the pictures of a folder into training, references and sources of distractors.

    A picture's part follows from a hash of its relative path, so that a picture that is added or
    removed moves no other, with one exception: near-duplicates (of chained perceptual hashes,
    mirror images included) share the part of the member whose path hash is smallest, so a new
    picture can move the group that it joins, or the groups that it links. The smallest hashes go to
    training; groups therefore lean there. Of a group among the references one member is kept, since
    a query that finds the copy's twin would count as wrong.

    Args:
        root: The folder.
        cache: A directory that remembers perceptual hashes.
        fractions: Shares of training, references and query sources; their sum is 1.
        near_duplicate_distance: Bits of 64 that linked pictures differ in at most.
        workers: How many processes hash pictures.

    Raises:
        UserError: The folder is missing or empty, has no readable picture, or too few of them for
            a part whose share is not 0.
        ValueError: The fractions are negative or do not add up to 1.
    """
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"got fractions {fractions}; expected three from 0 on that add up to 1")
    listing = scan_images(root, name="folder")
    images = listing.images
    hashed = hash_images(images, workers=workers, cache=cache, description="hashing pictures")
    readable = np.flatnonzero(hashed.readable)
    if not len(readable):
        raise UserError(f"{no_pictures(root, other=listing.other)}; {_unreadable_line(hashed)}")

    own = stable_fractions(images.names[readable].tolist(), salt="folder split")
    with working("grouping near-copies"):
        groups = near_duplicate_groups(
            hashed.hashes[readable],
            max_distance=near_duplicate_distance,
            mirrored=hashed.mirrored[readable],
        )
    shared = np.full(len(readable), 1.0)
    np.minimum.at(shared, groups, own)
    shared = shared[groups]
    part = (shared >= fractions[0]).astype(int) + (shared >= fractions[0] + fractions[1])
    training, references, sources = (readable[part == number] for number in range(3))
    kept = readable[(part == 1) & (own == shared)]
    _check_sizes(root, fractions, sizes=(len(training), len(kept), len(sources)))
    return FolderSplit(
        training=images.subset(training, name="training"),
        references=images.subset(kept, name="references"),
        query_sources=images.subset(sources, name="distractors"),
        left_out=_left_out(listing, hashed, twins=len(references) - len(kept)),
        unreadable=hashed.failures,
    )


def _check_sizes(
    root: Path, fractions: tuple[float, float, float], *, sizes: tuple[int, int, int]
) -> None:
    names = ("training", "references", "distractors")
    for name, share, size in zip(names, fractions, sizes, strict=True):
        if share > 0 and size == 0:
            raise UserError(
                f"{root}: {sum(sizes)} readable pictures are too few, none fell to {name} "
                f"(a share of {share:.0%}); add pictures or raise that share"
            )


def _left_out(listing: Listing, hashed: ImageHashes, *, twins: int) -> tuple[str, ...]:
    lines = list(listing.left_out)
    if hashed.failures:
        lines.append(_unreadable_line(hashed))
    if twins:
        lines.append(f"{twins} near-duplicates of other references are not searched")
    return tuple(lines)


def _unreadable_line(hashed: ImageHashes) -> str:
    log = SkipLog()
    for path, reason in hashed.failures:
        log.add(path, reason)
    return log.summary(file=None)  # a preview lists them nowhere, a training later
