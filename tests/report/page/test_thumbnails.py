"""Thumbnails keep to their budget, whatever the pictures are."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.report.page.thumbnails import SETTINGS, Source, encoded_size, make_thumbnails, thumbnail


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


def noise(count: int) -> list[Source]:
    rng = np.random.default_rng(0)
    return [jpeg(rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)) for _ in range(count)]


def total(images: tuple[bytes | None, ...]) -> int:
    return sum(encoded_size(image) for image in images if image is not None)


def test_few_pictures_are_as_fine_as_can_be() -> None:
    large = jpeg(np.full((600, 900, 3), 90, dtype=np.uint8))
    made = make_thumbnails([large], budget=1_000_000, workers=0)
    assert made.setting == SETTINGS[0]
    assert made.images[0] is not None
    shown = Image.open(io.BytesIO(made.images[0]))
    assert (shown.format, shown.size) == ("WEBP", (SETTINGS[0].side, SETTINGS[0].side * 2 // 3))


@pytest.mark.parametrize("budget", [48_000, 16_000, 6_000])
def test_noise_stays_within_the_budget(budget: int) -> None:
    made = make_thumbnails(noise(8), budget=budget, workers=0)
    assert total(made.images) <= budget
    assert made.left_out == 0
    assert made.setting in SETTINGS[1:]


def test_a_sample_that_misleads_is_made_good() -> None:
    plain: list[Source] = [jpeg(np.zeros((96, 128, 3), dtype=np.uint8))] * 140
    sampled = set(np.linspace(0, 139, 64).round().astype(int).tolist())
    others = [place for place in range(140) if place not in sampled]
    for place, picture in zip(others[:12], noise(12), strict=True):
        plain[place] = picture
    made = make_thumbnails(plain, budget=50_000, workers=0)
    assert total(made.images) <= 50_000
    assert made.left_out == 0
    assert made.setting != SETTINGS[0]


def test_what_never_fits_is_left_out_from_the_end_and_counted() -> None:
    made = make_thumbnails(noise(8), budget=600, workers=0)
    assert made.setting == SETTINGS[-1]
    assert total(made.images) <= 600
    kept = [image is not None for image in made.images]
    assert kept == sorted(kept, reverse=True)
    assert made.left_out == 8 - sum(kept) > 0


def test_what_cannot_be_had_is_missing_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    sources: list[Source] = [tmp_path / "none.jpg", tmp_path / "broken.jpg", "not recorded", b""]
    made = make_thumbnails(sources, budget=1000, workers=0)
    assert made.images == (None,) * 4
    reasons = ("no such file", "not a picture of a known format", "not recorded", "empty file")
    assert made.missing == reasons
    assert make_thumbnails([], budget=1000, workers=0).images == ()


def test_a_strip_keeps_a_pixel_of_its_short_side() -> None:
    made = thumbnail(SETTINGS[0], jpeg(np.zeros((1, 3000, 3), dtype=np.uint8)))
    assert isinstance(made, bytes)
    assert Image.open(io.BytesIO(made)).size == (SETTINGS[0].side, 1)
