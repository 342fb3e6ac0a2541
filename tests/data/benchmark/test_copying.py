"""References and training pictures on their way into a benchmark."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from sscd.data.benchmark.copying import CopyCounts, copy_pictures, is_written
from sscd.data.benchmark.plan import PlannedPicture
from sscd.data.decode import load_image
from sscd.errors import UserError


def _picture(size: tuple[int, int] = (40, 30)) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(values).resize(size, Image.Resampling.BICUBIC)


def _turned(path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    _picture().save(path, format="JPEG", exif=exif)


Writer = Callable[[Path], None]
AS_THEY_ARE: dict[str, Writer] = {
    "plain.jpg": lambda path: _picture().save(path),
    "grey.JPEG": lambda path: _picture().convert("L").save(path, format="JPEG"),
    "misnamed.png": lambda path: _picture().save(path, format="JPEG"),
    "commented.jpg": lambda path: _picture().save(path, comment=b"kept"),
}
ENCODED: dict[str, Writer] = {
    "a.png": lambda path: _picture().save(path),
    "clear.png": lambda path: _picture().convert("RGBA").save(path),
    "turned.jpg": _turned,
    "large.jpg": lambda path: _picture((90, 40)).save(path),
    "cmyk.jpg": lambda path: _picture().convert("CMYK").save(path),
}


def _copy(name: str, root: Path, workers: int = 1) -> CopyCounts:
    pictures = [PlannedPicture(id="R000000", part="references", source=name)]
    return copy_pictures(pictures, root=root, out=root / "out", max_side=64, workers=workers)


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_upright_small_jpeg_files_are_copied_byte_for_byte(name: str, tmp_path: Path) -> None:
    AS_THEY_ARE[name](tmp_path / name)
    assert _copy(name, tmp_path) == CopyCounts(copied=1, encoded=0)
    written = tmp_path / "out" / "references" / "R000000.jpg"
    assert written.read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", ENCODED)
def test_anything_else_is_encoded_anew(name: str, tmp_path: Path) -> None:
    ENCODED[name](tmp_path / name)
    assert _copy(name, tmp_path) == CopyCounts(copied=0, encoded=1)
    with Image.open(tmp_path / "out" / "references" / "R000000.jpg") as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert not image.getexif()
        assert max(image.size) <= 64
        expected = load_image(tmp_path / name)
        assert abs(image.width / image.height - expected.width / expected.height) < 0.05
        expected = expected.resize(image.size, Image.Resampling.LANCZOS)
        assert np.abs(np.asarray(image, int) - np.asarray(expected, int)).mean() < 3


def test_what_is_there_is_left_and_counted_all_the_same(tmp_path: Path) -> None:
    AS_THEY_ARE["plain.jpg"](tmp_path / "plain.jpg")
    written = tmp_path / "out" / "references" / "R000000.jpg"
    written.parent.mkdir(parents=True)
    written.write_bytes(b"there")
    assert _copy("plain.jpg", tmp_path) == CopyCounts(copied=1, encoded=0)
    assert written.read_bytes() == b"there"
    written.write_bytes(b"")  # of a crash
    assert not is_written(written)
    _copy("plain.jpg", tmp_path)
    assert written.read_bytes() == (tmp_path / "plain.jpg").read_bytes()


def test_a_source_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*gone\.jpg"):
        _copy("gone.jpg", tmp_path)
    assert not list((tmp_path / "out" / "references").iterdir())
