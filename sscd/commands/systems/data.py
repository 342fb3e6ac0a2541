"""What the rows of a table are measured on: a data set like DISC21, and attacked queries."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sscd.data.disc21 import read_disc21
from sscd.data.ground_truth import GroundTruth
from sscd.data.names_digest import names_digest
from sscd.data.records import Collection, ImageSet, Pictures
from sscd.errors import UserError
from sscd.evaluation.edit_records import Operations, read_edits
from sscd.evaluation.listing import check_truth
from sscd.terminal import warn, working

FEWEST_TRAINING = 10
"""Score normalisation looks at the 10th most similar one (DISC21 paper, section 5.2)."""


@dataclass(frozen=True)
class TableData:
    """The data set of a table.

    Attributes:
        name: What it is called.
        collection: Its pictures, with the training pictures that are used.
        queries: The queries that the ground truth speaks of.
        digest: What tells it from other data sets, and from the same with other pictures.
        edits: The operations that made each query; None where they are not known.
    """

    name: str
    collection: Collection
    queries: ImageSet
    digest: str
    edits: Mapping[str, Operations] | None

    @classmethod
    def open(cls, root: Path, *, training: int | None) -> "TableData":
        """Open a directory in DISC21's layout, with its dev queries.

        Args:
            root: The directory.
            training: Training pictures to use at most; None for all.

        Raises:
            UserError: A part is missing, or the ground truth holds no pair.
        """
        if training is not None and training < 1:
            raise UserError(f"--training {training}: give at least 1")
        collection = read_disc21(root)
        check_truth(collection.truth)
        if not len(collection.training):
            raise UserError(
                f"{root} has no pictures in train/: projections and score normalisation are learnt "
                "on training pictures; add them"
            )
        for line in collection.left_out:
            warn(line)
        collection = collection.limit_training(training)
        if len(collection.training) < FEWEST_TRAINING:
            raise UserError(
                f"{root} has {len(collection.training)} training pictures to use; score "
                f"normalisation needs {FEWEST_TRAINING} at least"
            )
        listed = collection.truth.listed
        asked = collection.queries
        if listed is not None:
            asked = asked.take([name for name in asked.ids if name in listed])
        sets = (collection.training, collection.references, asked)
        with working("looking at the data set"):
            digest = data_digest(sets, collection.truth)
        return cls(
            name=root.absolute().name,
            collection=collection,
            queries=asked,
            digest=digest,
            edits=read_edits(collection.edits) if collection.edits is not None else None,
        )

    @property
    def copies(self) -> ImageSet:
        """The queries that have a match."""
        having = {query for query, _ in self.collection.truth.pairs}
        return self.queries.take([name for name in self.queries.ids if name in having])


def content_digest(pictures: Pictures) -> str:
    """64 bits of BLAKE2b over the names and the sizes of a set's files."""
    text = f"{names_digest(pictures)} {sizes_digest(pictures)}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def data_digest(sets: tuple[Pictures, ...], truth: GroundTruth) -> str:
    """64 bits of BLAKE2b over names and sizes of all pictures, and the ground truth.

    Args:
        sets: The pictures, each in a folder.
        truth: The right pairs.
    """
    digest = hashlib.blake2b(digest_size=8)
    for pictures in sets:
        digest.update(content_digest(pictures).encode())
    digest.update(repr(sorted(truth.pairs)).encode())
    digest.update(repr(None if truth.listed is None else sorted(truth.listed)).encode())
    return digest.hexdigest()


def sizes_digest(pictures: Pictures) -> str:
    """64 bits of BLAKE2b over the sizes of a set's files, in its order; a missing one counts."""
    digest = hashlib.blake2b(digest_size=8)
    for index in range(len(pictures)):
        try:
            size = pictures.path(index).stat().st_size
        except OSError:
            size = -1
        digest.update(f"{size}\n".encode())
    return digest.hexdigest()
