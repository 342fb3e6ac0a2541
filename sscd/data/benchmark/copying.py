"""References and training pictures: copied as they are where DISC21 would have them so."""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

from sscd.data.benchmark.plan import PlannedPicture
from sscd.data.decode import UnreadableImage
from sscd.data.edited_copies import read_within, write_jpeg
from sscd.data.parallel import parallel_map
from sscd.errors import UserError
from sscd.files import atomic_path

_TURNED = range(2, 9)  # EXIF orientations that are not upright


@dataclass(frozen=True)
class CopyCounts:
    """How the pictures came into the benchmark.

    Attributes:
        copied: Byte for byte, with whatever metadata the files hold.
        encoded: Decoded and written as JPEG (quality 95, 4:4:4), without metadata.
    """

    copied: int
    encoded: int


def copy_pictures(
    pictures: Sequence[PlannedPicture], *, root: Path, out: Path, max_side: int, workers: int
) -> CopyCounts:
    """Write the pictures that are not there yet.

    A JPEG file that is upright, RGB or grey, and within `max_side` is copied byte for byte;
    anything else is turned upright, shrunk and encoded anew.

    Args:
        pictures: What to write.
        root: The folder that the sources are relative to.
        out: The benchmark's directory.
        max_side: Longest side of a written picture, in pixels.
        workers: How many processes work.

    Raises:
        UserError: A source cannot be read any more, or `out` cannot be written.
    """
    for part in {picture.part for picture in pictures}:
        (out / part).mkdir(parents=True, exist_ok=True)
    copy = functools.partial(_copy, root=root, out=out, max_side=max_side)
    done = list(parallel_map(copy, pictures, workers=workers, description="copying pictures"))
    return CopyCounts(copied=sum(done), encoded=len(done) - sum(done))


def _copy(picture: PlannedPicture, *, root: Path, out: Path, max_side: int) -> bool:
    """Write one picture where it is missing; returns whether its bytes are those of the source."""
    source, target = root / picture.source, out / picture.file
    as_it_is = _fits(source, max_side)
    if is_written(target):
        return as_it_is
    try:
        content = source.read_bytes() if as_it_is else None
        image = None if as_it_is else read_within(source, max_side)
    except (OSError, UnreadableImage) as error:
        raise UserError(f"cannot read {source}: {error}; put it back and run again") from error
    with atomic_path(target) as temporary:
        if content is not None:
            temporary.write_bytes(content)
        elif image is not None:
            write_jpeg(image, temporary)
    return as_it_is


def is_written(path: Path) -> bool:
    """Whether a file is there with something in it: an empty one is what a crash may leave."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _fits(path: Path, max_side: int) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return (
                    image.format == "JPEG"
                    and image.mode in ("RGB", "L")
                    and max(image.size) <= max_side
                    and image.getexif().get(ExifTags.Base.Orientation, 1) not in _TURNED
                )
    except Exception:  # decoding it says what is wrong
        return False
