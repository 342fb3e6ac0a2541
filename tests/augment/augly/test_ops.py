import builtins
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sscd.augment.augly import assets
from sscd.augment.augly import library as augly_library
from sscd.augment.augly import ops as augly_ops
from sscd.errors import UserError


def _black(width: int = 100, height: int = 60) -> Image.Image:
    return Image.new("RGB", (width, height))


def _text(image: Image.Image, *, opacity: float = 1.0, font: str | None = None) -> Image.Image:
    return augly_ops.overlay_text(
        image,
        font=font or "Raleway-ExtraBold.ttf",
        characters=(40, 41, 42),
        size=0.5,
        opacity=opacity,
        color=(255, 255, 255),
        x=0.1,
        y=0.1,
    )


def test_text_opacity_is_real() -> None:
    brightest = [np.asarray(_text(_black(), opacity=o)).max() for o in (0.2, 0.6, 1.0)]
    assert brightest == [51, 153, 255]


def test_text_leaves_its_input() -> None:
    image = _black()
    _text(image)
    assert image.getbbox() is None


def test_every_font_writes_every_place_of_its_list() -> None:
    # Carriage returns and line separators, which some fonts list, make text layout fail.
    for font in ("OstrichSans-Black.ttf", "PlayfairDisplay-BoldItalic.ttf", "Entypo.ttf"):
        for first in range(0, 600, 25):
            augly_ops.overlay_text(
                _black(32, 32),
                font=font,
                characters=tuple(range(first, first + 25)),
                size=0.2,
                opacity=0.5,
                color=(1, 2, 3),
                x=0,
                y=0,
            )
    assert len(assets.font_names()) > 100


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (90, 1), (3, 2)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    image = _black(*shape)
    assert _text(image).size == shape
    emoji = assets.emoji_names()[0]
    over = augly_ops.overlay_emoji(image, emoji=emoji, size=0.1, opacity=1, x=0.9, y=0.9)
    assert over.size == shape


def test_emoji_is_where_it_was_asked_for() -> None:
    emoji = "smileys/smiling_face_with_heart_eyes.png"
    over = augly_ops.overlay_emoji(_black(100, 100), emoji=emoji, size=0.4, opacity=1, x=0.5, y=0.1)
    assert over.mode == "RGB"
    left, top, right, bottom = over.getbbox() or (0, 0, 0, 0)
    assert (left, top, right, bottom) == pytest.approx((50, 10, 90, 50), abs=2)
    faint = augly_ops.overlay_emoji(_black(), emoji=emoji, size=0.4, opacity=0.5, x=0, y=0)
    assert np.asarray(faint).max() <= 128


def test_all_emoji_open() -> None:
    names = assets.emoji_names()
    assert len(names) > 800
    for name in names[::40]:
        over = augly_ops.overlay_emoji(_black(40, 40), emoji=name, size=1, opacity=1, x=0, y=0)
        assert over.size == (40, 40)


def test_jpeg_quality_orders_the_error() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    errors = []
    for quality in (0, 30, 100):
        encoded = np.asarray(augly_ops.encode_jpeg(image, quality=quality), dtype=np.float64)
        errors.append(float(np.abs(encoded - noise).mean()))
    assert errors[0] > errors[1] > errors[2]


def test_a_missing_augly_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("augly"):
            raise ImportError("failed to find libmagic")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    augly_library.augly_image.cache_clear()
    with pytest.raises(UserError, match=r"libmagic.*pip install 'sscd\[train\]'"):
        augly_ops.encode_jpeg(_black(), quality=50)
