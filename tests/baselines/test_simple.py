import numpy as np
import pytest
from PIL import Image

from sscd.baselines.simple import perceptual_hash_descriptor, thumbnail_descriptor
from sscd.data.perceptual_hash import perceptual_hash


def picture(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((96, 64), Image.Resampling.BICUBIC)


def test_hash_distance_is_hamming_distance() -> None:
    for seed in range(10):
        one, two = picture(seed), picture(seed + 100)
        a, b = perceptual_hash_descriptor(one), perceptual_hash_descriptor(two)
        hamming = (int(perceptual_hash(one)) ^ int(perceptual_hash(two))).bit_count()
        assert a.shape == (64,)
        assert a.dtype == np.float32
        assert set(np.abs(a).tolist()) == {0.125}
        assert float(a @ a) == 1.0
        assert float(np.square(a - b).sum()) == hamming / 16


def test_thumbnail_is_a_unit_vector_without_mean() -> None:
    got = thumbnail_descriptor(picture(0))
    assert got.shape == (256,)
    assert got.dtype == np.float32
    assert float(np.linalg.norm(got)) == pytest.approx(1, abs=1e-6)
    assert float(got.sum()) == pytest.approx(0, abs=1e-5)


def test_thumbnail_by_hand() -> None:
    grey = Image.fromarray(np.array([[10, 30], [10, 30]], dtype=np.uint8))
    assert thumbnail_descriptor(grey, side=2).tolist() == [-0.5, 0.5, -0.5, 0.5]


def test_thumbnail_hardly_sees_brightness_and_contrast() -> None:
    original = picture(1)
    darker = original.point([round(40 + value * 0.5) for value in range(256)] * 3)
    distance = np.square(thumbnail_descriptor(original) - thumbnail_descriptor(darker)).sum()
    other = np.square(thumbnail_descriptor(original) - thumbnail_descriptor(picture(2))).sum()
    assert distance < 0.001 < other


def test_a_picture_of_one_colour_is_defined() -> None:
    white = thumbnail_descriptor(Image.new("RGB", (50, 40), "white"))
    grey = thumbnail_descriptor(Image.new("RGB", (40, 50), (77, 77, 77)))
    assert np.array_equal(white, grey)
    assert float(np.linalg.norm(white)) == pytest.approx(1)
    assert float(white @ thumbnail_descriptor(picture(3))) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(perceptual_hash_descriptor(Image.new("RGB", (50, 40)))).all()


def test_refuses_no_pixels() -> None:
    with pytest.raises(ValueError, match="side 0"):
        thumbnail_descriptor(picture(0), side=0)
