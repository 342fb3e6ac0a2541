"""OpenCV's hue and blur, held to Pillow's."""

import numpy as np
import pytest
from PIL import Image

from sscd.augment import fast_pixels, operations
from sscd.augment.opencv import has_opencv
from sscd.data.procedural import draw_picture


def _psnr(a: Image.Image, b: Image.Image) -> float:
    error = (np.asarray(a).astype(float) - np.asarray(b).astype(float)) ** 2
    return float(10 * np.log10(255**2 / max(error.mean(), 1e-9)))


@pytest.mark.parametrize("size", [32, 96, 224])
@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_both_libraries_agree(size: int, index: int) -> None:
    assert has_opencv()
    image = draw_picture(seed=0, index=index, size=size)
    before = image.tobytes()
    for shift in (-0.5, -0.2, -0.01, 0.0, 0.1, 0.2, 0.5):
        turned = fast_pixels.hue(image, shift=shift)
        assert _psnr(turned, operations.hue(image, shift=shift)) > 40, shift
    for radius in (0.2, 0.7, 1.0, 2.5, 5.0):
        blurred = fast_pixels.gaussian_blur(image, radius=radius)
        assert _psnr(blurred, operations.gaussian_blur(image, radius=radius)) > 42, radius
    assert image.tobytes() == before


def test_without_opencv_pillow_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_pixels, "has_opencv", lambda: False)
    image = draw_picture(seed=0, index=0, size=48)
    mine = fast_pixels.gaussian_blur(fast_pixels.hue(image, shift=0.3), radius=3)
    plain = operations.gaussian_blur(operations.hue(image, shift=0.3), radius=3)
    assert mine.tobytes() == plain.tobytes()
