"""Text and emoji to lay over a picture: what is drawn at random, apart from how it is applied."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from sscd.augment.augly import assets
from sscd.augment.augly import ops as augly_ops

TEXT_SIZE = (0.1, 0.3)
"""Height of the letters over the short side in the published recipe."""
TEXT_OPACITY = (0.1, 1.0)
EMOJI_SIZE = (0.1, 0.5)
"""Height of the emoji over the picture's height in the published recipe."""
EMOJI_OPACITY = (0.7, 1.0)
MAX_CHARACTERS = 25
"""Longest line of text."""


@dataclass(frozen=True)
class TextOverlay:
    """One line of characters; the fields are those of `augly_ops.overlay_text`."""

    font: str
    characters: tuple[int, ...]
    size: float
    opacity: float
    color: tuple[int, int, int]
    x: float
    y: float

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        *,
        size: tuple[float, float] = TEXT_SIZE,
        opacity: tuple[float, float] = TEXT_OPACITY,
    ) -> Self:
        """Choose font, characters, colour and place uniformly, size and opacity in their ranges."""
        fonts = assets.font_names()
        length = int(rng.integers(1, MAX_CHARACTERS + 1))
        red, green, blue = rng.integers(0, 256, 3).tolist()
        height = float(rng.uniform(*size))
        return cls(
            font=fonts[int(rng.integers(len(fonts)))],
            characters=tuple(rng.integers(0, 1 << 16, length).tolist()),
            size=height,
            opacity=float(rng.uniform(*opacity)),
            color=(red, green, blue),
            x=float(rng.uniform(0, 0.6)),  # so that some of the line is always inside
            y=float(rng.uniform(0, 1 - height)),
        )

    def apply(self, image: Image.Image) -> Image.Image:
        """Return the RGB picture with the text over it."""
        return augly_ops.overlay_text(
            image,
            font=self.font,
            characters=self.characters,
            size=self.size,
            opacity=self.opacity,
            color=self.color,
            x=self.x,
            y=self.y,
        )


@dataclass(frozen=True)
class EmojiOverlay:
    """One emoji; the fields are those of `augly_ops.overlay_emoji`."""

    emoji: str
    size: float
    opacity: float
    x: float
    y: float

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        *,
        size: tuple[float, float] = EMOJI_SIZE,
        opacity: tuple[float, float] = EMOJI_OPACITY,
    ) -> Self:
        """Choose emoji and place uniformly, size and opacity in their ranges."""
        emoji = assets.emoji_names()
        height = float(rng.uniform(*size))
        return cls(
            emoji=emoji[int(rng.integers(len(emoji)))],
            size=height,
            opacity=float(rng.uniform(*opacity)),
            x=float(rng.uniform(0, 1 - height)),
            y=float(rng.uniform(0, 1 - height)),
        )

    def apply(self, image: Image.Image) -> Image.Image:
        """Return the RGB picture with the emoji over it."""
        return augly_ops.overlay_emoji(
            image,
            emoji=self.emoji,
            size=self.size,
            opacity=self.opacity,
            x=self.x,
            y=self.y,
        )
