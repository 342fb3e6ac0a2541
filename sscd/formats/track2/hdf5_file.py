"""The descriptor file of the Image Similarity Challenge's track 2, written and read.

`sscd.formats.track2.layouts` says what it holds. Vectors may stay on disk on the way in and out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sscd.data.descriptors import Descriptors
from sscd.errors import UserError
from sscd.formats.problems import raise_first
from sscd.formats.track2.hdf5 import Attribute, Hdf5Rows, attributes_of, reading_hdf5
from sscd.formats.track2.layouts import MAX_DIMENSIONS, OFFICIAL, OLDER, open_side, unequal_widths
from sscd.formats.track2.saving import prepare_side, save_sides
from sscd.vectors import Vectors, in_memory

Rows_co = TypeVar("Rows_co", bound=Vectors, covariant=True)


@dataclass(frozen=True)
class Track2(Generic[Rows_co]):
    """The content of a track-2 file; its vectors are arrays or stay on disk.

    Attributes:
        query_ids: Q ids.
        queries: (Q, D) float32.
        reference_ids: R ids.
        references: (R, D) float32.
        attributes: Notes kept on the file's root, for instance how the descriptors were made.
    """

    query_ids: Sequence[str]
    queries: Rows_co
    reference_ids: Sequence[str]
    references: Rows_co
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


def check_track2_dims(dims: int) -> None:
    """Check a descriptor's length before anything is computed.

    Raises:
        UserError: It is over what track 2 admits.
    """
    if dims > MAX_DIMENSIONS:
        raise UserError(
            f"the descriptor has {dims} dimensions; track 2 takes at most {MAX_DIMENSIONS}: train "
            f"with fewer, or export with --training DIR --dims {MAX_DIMENSIONS}"
        )


def write_track2(path: Path, track2: Track2[Vectors]) -> None:
    """Check the descriptors, sort them by id and write them; the file appears only when complete.

    Vectors are read and written block by block, also where they must be sorted.

    Raises:
        UserError: More than 256 dimensions, a value that is not finite, an id that is empty,
            repeated or not ASCII, no rows, or a place that cannot be written.
        ValueError: Vectors that are not float32, or lengths that do not match.
    """
    sides = {
        OFFICIAL["query"]: (track2.query_ids, track2.queries),
        OFFICIAL["reference"]: (track2.reference_ids, track2.references),
    }
    prepared = {
        layout: prepare_side(path, layout, ids, vectors) for layout, (ids, vectors) in sides.items()
    }
    widths = [side.vectors.shape[1] for side in prepared.values()]
    raise_first(unequal_widths(path, *widths))
    save_sides(path, prepared, track2.attributes)


def write_vectors(
    path: Path, descriptors: Descriptors, attributes: Mapping[str, Attribute] | None = None
) -> None:
    """Write one side in the older layout, `vectors` and `image_names`, sorted by id.

    Raises:
        UserError: As for `write_track2`, but for the dimension, which may be any.
        ValueError: Vectors that are not float32.
    """
    side = prepare_side(path, OLDER, descriptors.ids, descriptors.vectors)
    save_sides(path, {OLDER: side}, attributes or {})


def open_track2(path: Path) -> Track2[Hdf5Rows]:
    """Read and check a track-2 file, whoever wrote it, but for its vectors, which stay on disk.

    Their values are checked when they are read.

    Raises:
        UserError: The file is absent, truncated or not HDF5; a dataset is missing or of another
            type or shape; over 256 dimensions; an id that is repeated, out of order, empty or not
            ASCII. The message names the file, dataset and row.
    """
    with reading_hdf5(path, what="a track-2 HDF5 file") as handle:
        queries, references = (
            open_side(path, handle, layout) for layout in (OFFICIAL["query"], OFFICIAL["reference"])
        )
        attributes = attributes_of(handle)
    raise_first(unequal_widths(path, queries.shape[1], references.shape[1]))
    return Track2(
        query_ids=text_ids(queries.ids),
        queries=queries,
        reference_ids=text_ids(references.ids),
        references=references,
        attributes=attributes,
    )


def read_track2(path: Path) -> Track2[NDArray[np.float32]]:
    """Read and check a track-2 file, vectors and all.

    Raises:
        UserError: As for `open_track2`, and a value that is not finite.
    """
    lazy = open_track2(path)
    with lazy.queries, lazy.references:
        return Track2(
            query_ids=lazy.query_ids,
            queries=in_memory(lazy.queries),
            reference_ids=lazy.reference_ids,
            references=in_memory(lazy.references),
            attributes=lazy.attributes,
        )


def text_ids(ids: NDArray[np.bytes_]) -> list[str]:
    """ASCII ids as strings."""
    return [item.decode("ascii") for item in ids.tolist()]
