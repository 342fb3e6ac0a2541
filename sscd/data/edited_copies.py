"""One edited copy of one picture file: read, edit, write, record."""

from pathlib import Path

import numpy as np
from PIL import Image

from sscd.augment.edits.chain import EditedPicture, EditTable, edit_picture
from sscd.augment.edits.operation import SecondaryPictures
from sscd.data.decode import load_image

JPEG_QUALITY = 95


def write_copy(
    source: Path,
    target: Path,
    *,
    table: EditTable,
    rng: np.random.Generator,
    read_side: int,
    write_side: int | None = None,
    secondary: SecondaryPictures | None = None,
) -> EditedPicture:
    """Write an edited copy of a picture file.

    Args:
        source: The picture.
        target: The JPEG file to write, in place.
        table: What may be done to it.
        rng: The copy's own random stream.
        read_side: Longer pictures are shrunk to this long side, in pixels, before they are edited.
        write_side: Longer copies are shrunk to this long side; None leaves them.
        secondary: Pictures to lay under or beside it, for tables that ask for them.

    Returns:
        The copy as it was written, but for its encoding.

    Raises:
        UnreadableImage: The source cannot be read.
    """
    edited = edit_picture(read_within(source, read_side), table, rng, secondary=secondary)
    if write_side is not None:
        shrink(edited.image, write_side)
    write_jpeg(edited.image, target)
    return edited


def read_within(path: Path, max_side: int) -> Image.Image:
    """A picture file as RGB, upright, its long side at most `max_side` pixels.

    Raises:
        UnreadableImage: The file cannot be read.
    """
    return shrink(load_image(path, draft=max_side), max_side)


def shrink(image: Image.Image, max_side: int) -> Image.Image:
    """Shrink a picture in place to a long side of at most `max_side` pixels; returns it."""
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return image


def write_jpeg(image: Image.Image, path: Path) -> None:
    """Write a JPEG file in place: quality 95, 4:4:4."""
    image.save(path, format="JPEG", quality=JPEG_QUALITY, subsampling=0)


def recorded_edits(edited: EditedPicture) -> list[dict[str, object]]:
    """What was done, in order, for a line of `edits.jsonl`."""
    return [{"name": edit.name, "parameters": dict(edit.parameters)} for edit in edited.operations]


def plain_json(value: object) -> object:
    """What `json.dumps` is to make of NumPy's numbers and arrays; its `default`.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"got {type(value).__name__} among the parameters of an edit; expected JSON")
