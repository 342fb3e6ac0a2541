import io
import pickle
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from sscd.data import decode
from sscd.data.decode import MAX_PIXELS, UnreadableImage, load_image, open_image, upright_rgb

RED, WHITE = (255, 0, 0), (255, 255, 255)


def _save(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def _pixel(path: Path, at: tuple[int, int] = (0, 0)) -> tuple[int, ...]:
    image = load_image(path)
    assert image.mode == "RGB"
    pixel = image.getpixel(at)
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


def _corner(orientation: int, tmp_path: Path) -> Path:
    """A picture that shows, upright, 40x20 with a red top left corner."""
    upright = Image.new("RGB", (40, 20), "white")
    upright.paste(RED, (0, 0, 10, 10))
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(inverse[orientation]) if orientation in inverse else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _save(stored, tmp_path / f"o{orientation}.png", exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    image = load_image(_corner(orientation, tmp_path))
    assert image.size == (40, 20)
    assert image.getpixel((2, 2)) == RED
    assert image.getpixel((37, 17)) == WHITE
    assert image.info == {}


def test_exif_orientation_is_applied_to_a_drafted_jpeg(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = _save(Image.new("RGB", (400, 200)), tmp_path / "a.jpg", exif=exif)
    assert load_image(path).size == (200, 400)
    assert load_image(path, draft=50).size == (50, 100)


def test_broken_exif_does_not_make_a_picture_unreadable(tmp_path: Path) -> None:
    path = _save(Image.new("RGB", (8, 8), RED), tmp_path / "a.png", exif=b"Exif\0\0MM\0*\xff\xff")
    assert _pixel(path) == RED


@pytest.mark.parametrize(
    ("draft", "expected"),
    [(None, (801, 403)), (50, (101, 51)), (51, (201, 101)), (100, (201, 101)), (500, (801, 403))],
)
def test_draft_keeps_the_short_side_at_least(
    tmp_path: Path, draft: int | None, expected: tuple[int, int]
) -> None:
    path = _save(Image.new("RGB", (801, 403)), tmp_path / "a.jpg")
    assert load_image(path, draft=draft).size == expected


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [(1, (801, 403)), (2, (401, 202)), (3, (401, 202)), (7, (201, 101)), (99, (101, 51))],
)
def test_the_size_is_known_before_decoding_at_a_reduced_scale(
    tmp_path: Path, reduce: int, expected: tuple[int, int]
) -> None:
    path = _save(Image.new("RGB", (801, 403)), tmp_path / "a.jpg")
    for source in (path, path.read_bytes()):
        with open_image(source, name="a.jpg") as encoded:
            assert encoded.size == (801, 403)
            assert encoded.load(reduce=reduce).size == expected


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_known_before_decoding_is_upright(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _save(Image.new("RGB", (40, 20)), tmp_path / f"a{suffix}", exif=exif)
    with open_image(path) as encoded:
        assert encoded.size == encoded.load().size


def test_bytes_are_named_as_told(tmp_path: Path) -> None:
    data = _save(Image.new("RGB", (40, 20), RED), tmp_path / "a.png").read_bytes()
    assert load_image(data, name="x").getpixel((0, 0)) == RED
    for broken, reason in (
        (b"", "empty file"),
        (b"no picture", "not a picture"),
        (data[:60], "truncated"),
    ):
        with pytest.raises(UnreadableImage, match=reason) as caught:
            load_image(broken, name="shard-3/T000001")
        assert caught.value.path == Path("shard-3/T000001")


def test_draft_leaves_other_formats_alone(tmp_path: Path) -> None:
    path = _save(Image.new("RGB", (80, 40)), tmp_path / "a.png")
    assert load_image(path, draft=8).size == (80, 40)


def test_modes_become_rgb(tmp_path: Path) -> None:
    one_bit = _save(Image.new("1", (4, 4), 1), tmp_path / "1.png")
    grey = _save(Image.new("L", (4, 4), 77), tmp_path / "l.png")
    palette = _save(Image.new("RGB", (4, 4), RED).quantize(4), tmp_path / "p.gif")
    inks = _save(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), tmp_path / "cmyk.jpg")
    assert _pixel(one_bit) == WHITE
    assert _pixel(grey) == (77, 77, 77)
    assert _pixel(palette) == RED
    assert np.abs(np.subtract(_pixel(inks), RED)).max() <= 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_is_laid_over_white(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    if mode == "RGB":  # a single transparent colour
        Image.new("RGB", (4, 4), (1, 2, 3)).save(path, transparency=(1, 2, 3))
    elif mode == "P":
        Image.new("P", (4, 4), 0).save(path, transparency=0)
    else:
        Image.new(mode, (4, 4), (0,) * len(mode)).save(path)
    assert _pixel(path) == WHITE


def test_half_transparency_mixes_with_white(tmp_path: Path) -> None:
    path = _save(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), tmp_path / "a.png")
    assert _pixel(path) == (127, 127, 127)


def test_16_bit_grey_keeps_its_high_byte(tmp_path: Path) -> None:
    values = np.array([[0, 257 * 100, 65535]], dtype=np.uint16)
    for name in ("a.png", "a.tif"):
        path = _save(Image.fromarray(values), tmp_path / name)
        assert [_pixel(path, (x, 0))[0] for x in range(3)] == [0, 100, 255]


def test_32_bit_and_float_grey_are_stretched(tmp_path: Path) -> None:
    wide = np.array([[-(10**6), 0, 10**6]], dtype=np.int32)
    unit = np.array([[0.0, 0.2, 1.0]], dtype=np.float32)
    broken = np.array([[np.nan, -50.0, 200.0]], dtype=np.float32)
    expected = {"wide": (wide, [0, 128, 255]), "unit": (unit, [0, 51, 255])}
    expected["nan"] = (broken, [51, 0, 255])
    for name, (values, levels) in expected.items():
        path = _save(Image.fromarray(values), tmp_path / f"{name}.tif")
        assert [_pixel(path, (x, 0))[0] for x in range(3)] == levels, name


def test_a_constant_float_picture_is_defined(tmp_path: Path) -> None:
    path = _save(Image.fromarray(np.full((2, 2), 7e8, dtype=np.float32)), tmp_path / "a.tif")
    assert _pixel(path) == (0, 0, 0)


@pytest.mark.parametrize("extension", ["gif", "webp", "png", "tif"])
def test_animated_files_give_their_first_frame(tmp_path: Path, extension: str) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in (RED, "blue", "lime")]
    options: dict[str, Any] = {"lossless": True} if extension == "webp" else {}
    path = tmp_path / f"a.{extension}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    assert _pixel(path, (8, 8)) == RED


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "bmp", "gif", "tiff", "avif"])
def test_all_formats_are_read_and_truncated_ones_are_not(tmp_path: Path, extension: str) -> None:
    if extension == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = _save(Image.fromarray(noise), tmp_path / f"a.{extension}")
    assert load_image(path).size == (64, 64)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImage) as caught:
        load_image(path)
    assert caught.value.path == path
    assert 0 < len(caught.value.reason) <= 120


def test_reasons_are_short_and_plain(tmp_path: Path) -> None:
    cases = {"empty.jpg": b"", "text.jpg": b"no picture at all"}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    jpeg = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(jpeg, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(jpeg.getvalue()[:-400])
    reasons = {}
    for name in ("empty.jpg", "text.jpg", "cut.jpg", "missing.jpg"):
        with pytest.raises(UnreadableImage) as caught:
            load_image(tmp_path / name)
        reasons[name] = caught.value.reason
    assert reasons == {
        "empty.jpg": "empty file",
        "text.jpg": "not a picture of a known format",
        "cut.jpg": "truncated",
        "missing.jpg": "no such file",
    }


def test_a_directory_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="directory"):
        load_image(tmp_path)


def _png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = b"IDAT" + zlib.compress(b"\0" * 64)
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(data) - 4) + data + b"\0\0\0\0"


def test_decompression_bombs_are_refused_before_decoding(tmp_path: Path) -> None:
    for width in (14_000, 60_000):
        (tmp_path / "bomb.png").write_bytes(_png_header(width, 14_000))
        with pytest.raises(UnreadableImage, match=f"limit of {MAX_PIXELS:,} pixels"):
            load_image(tmp_path / "bomb.png")


def test_the_limit_is_ours_whatever_pillows_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _save(Image.new("RGB", (20, 20)), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(decode, "MAX_PIXELS", 399)
    with pytest.raises(UnreadableImage, match="400 pixels, more than the limit of 399"):
        load_image(path)
    monkeypatch.setattr(decode, "MAX_PIXELS", 400)
    assert load_image(path).size == (20, 20)


def test_pillow_warnings_stay_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _save(Image.new("RGB", (20, 20)), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)  # 400 pixels: warned of, not refused
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_image(path).size == (20, 20)


def test_the_exception_travels_between_processes() -> None:
    again = pickle.loads(pickle.dumps(UnreadableImage(Path("a.jpg"), "truncated")))
    assert (again.path, again.reason, str(again)) == (
        Path("a.jpg"),
        "truncated",
        "a.jpg: truncated",
    )


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_give_a_picture_or_the_one_exception(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    extension = ["jpg", "png", "webp", "gif", "tiff", "bmp"][seed % 6]
    path = _save(Image.effect_noise((48, 32), 60).convert("RGB"), tmp_path / f"a.{extension}")
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
    data[rng.integers(0, len(data), 30)] = rng.integers(0, 256, 30)
    path.write_bytes(data.tobytes())
    outcome: str
    try:
        outcome = load_image(path).mode
    except UnreadableImage as error:
        outcome = "unreadable" if error.reason.isprintable() else error.reason
    assert outcome in ("RGB", "unreadable")


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_opened_pictures_are_as_their_files(orientation: int, tmp_path: Path) -> None:
    path = _corner(orientation, tmp_path)
    with Image.open(path) as opened:
        made = upright_rgb(opened)
        assert opened.getexif()[0x0112] == orientation, "the caller's picture was changed"
    assert made.info == {}
    np.testing.assert_array_equal(np.asarray(made), np.asarray(load_image(path)))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16", "1", "CMYK"])
def test_opened_pictures_of_any_mode(mode: str, tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    picture = Image.fromarray(grey).convert("RGB").convert(mode if mode != "I;16" else "L")
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) << 8)
    path = _save(picture, tmp_path / ("a.tif" if mode == "CMYK" else "a.png"))
    made = upright_rgb(picture)
    assert made.mode == "RGB"
    assert made is not picture
    np.testing.assert_array_equal(np.asarray(made), np.asarray(load_image(path)))


def test_opened_pictures_that_are_broken_or_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _save(Image.new("RGB", (64, 64)), tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:60])
    with Image.open(path) as opened, pytest.raises(UnreadableImage, match="mine: truncated"):
        upright_rgb(opened, name="mine")
    monkeypatch.setattr(decode, "MAX_PIXELS", 10)
    with pytest.raises(UnreadableImage, match="16 pixels, more than the limit of 10"):
        upright_rgb(Image.new("RGB", (4, 4)))
