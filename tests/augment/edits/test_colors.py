import builtins
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from sscd.augment import operations
from sscd.augment.edits import colors
from sscd.augment.edits.canvas import Canvas
from sscd.errors import UserError


def _grey_levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), dtype=float)


def test_factors_are_used_as_recorded(photo: Image.Image) -> None:
    rng = np.random.default_rng(0)
    for kind, twin in (
        (colors.Brightness, operations.brightness),
        (colors.Contrast, operations.contrast),
        (colors.Saturation, operations.saturation),
    ):
        edited, parameters = kind((0.3, 2.0))(Canvas.of(photo), rng, None)
        factor = parameters["factor"]
        assert isinstance(factor, float)
        assert 0.3 <= factor <= 2.0
        assert edited.image.tobytes() == twin(photo, factor=factor).tobytes()


def test_brightness_contrast_saturation_do_what_they_say(photo: Image.Image) -> None:
    canvas, rng = Canvas.of(photo), np.random.default_rng(0)
    dark, _ = colors.Brightness((0.5, 0.5))(canvas, rng, None)
    assert _grey_levels(dark.image).mean() == pytest.approx(_grey_levels(photo).mean() / 2, abs=1)
    soft, _ = colors.Contrast((0.5, 0.5))(canvas, rng, None)
    assert soft.visible_contrast == pytest.approx(canvas.visible_contrast / 2, rel=0.03)
    grey, _ = colors.Saturation((0.0, 0.0))(canvas, rng, None)
    assert grey.image.tobytes() == colors.Greyscale()(canvas, rng, None)[0].image.tobytes()


def test_jitter_records_its_order(photo: Image.Image) -> None:
    jitter = colors.ColorJitter((0.5, 1.5), (0.5, 2.0), (0.2, 2.5))
    orders = set()
    for i in range(40):
        edited, parameters = jitter(Canvas.of(photo), np.random.default_rng(i), None)
        image = photo
        for name, factor in parameters.items():
            assert isinstance(factor, float)
            image = getattr(operations, name)(image, factor=factor)
        assert edited.image.tobytes() == image.tobytes()
        orders.add(tuple(parameters))
    assert len(orders) == 6


def test_every_filter_changes_the_picture(photo: Image.Image) -> None:
    results = set()
    for name in get_args(colors.Filter):
        filtered = colors.filter_colors(photo, name=name)
        assert (filtered.mode, filtered.size) == ("RGB", photo.size)
        assert filtered.tobytes() != photo.tobytes()
        results.add(filtered.tobytes())
    assert len(results) == len(get_args(colors.Filter))


def test_a_missing_pilgram_is_a_user_error(
    monkeypatch: pytest.MonkeyPatch, photo: Image.Image
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pilgram":
            raise ImportError("no module")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'sscd\[train\]'"):
        colors.filter_colors(photo, name="aden")
