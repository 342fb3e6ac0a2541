"""Overlays on a part of a picture, held to AugLy on the whole."""

from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from sscd.augment.augly import assets
from sscd.augment.augly import ops as augly_ops
from sscd.augment.composite import paste_emoji, paste_text
from sscd.augment.overlay import EmojiOverlay, TextOverlay


def _picture(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(5).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def _part(rng: np.random.Generator, width: int, height: int) -> tuple[int, int, int, int]:
    left, top = int(rng.integers(width)), int(rng.integers(height))
    return left, top, int(rng.integers(left + 1, width + 1)), int(rng.integers(top + 1, height + 1))


@pytest.mark.parametrize("kind", ["text", "emoji"])
def test_a_part_holds_the_pixels_of_augly(kind: str) -> None:
    rng = np.random.default_rng(0)
    reached = 0
    for i in range(300):
        width, height = (250, 190) if i % 3 else rng.integers(3, 400, 2).tolist()
        image, box = _picture(width, height), _part(rng, width, height)
        part, before = image.crop(box), image.crop(box).tobytes()
        if kind == "text":
            text = TextOverlay.draw(rng)
            whole = augly_ops.overlay_text(image, **asdict(text))
            mine = paste_text(part, whole=image.size, origin=box[:2], **asdict(text))
        else:
            emoji = EmojiOverlay.draw(rng)
            whole = augly_ops.overlay_emoji(image, **asdict(emoji))
            mine = paste_emoji(part, whole=image.size, origin=box[:2], **asdict(emoji))
        assert mine.tobytes() == whole.crop(box).tobytes(), i
        assert part.tobytes() == before
        reached += mine.tobytes() != before
    assert 50 < reached < 300


def test_what_lies_outside_leaves_the_part_as_it_is() -> None:
    part = _picture(20, 20)
    emoji = EmojiOverlay(emoji=assets.emoji_names()[0], size=0.2, opacity=1, x=0.7, y=0.7)
    assert paste_emoji(part, whole=(100, 100), origin=(0, 0), **asdict(emoji)) is part
