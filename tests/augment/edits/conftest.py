"""What several tests of edits need."""

import numpy as np
import pytest
from PIL import Image


class BluePictures:
    """Secondary pictures that show nothing but full blue and some red and green."""

    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        number = int(rng.integers(5))
        noise = np.random.default_rng(number).integers(0, 256, (40 + number, 70, 3), dtype=np.uint8)
        noise[:, :, 2] = 255
        return f"blue{number}", Image.fromarray(noise)


@pytest.fixture
def secondary() -> BluePictures:
    return BluePictures()


@pytest.fixture
def places() -> Image.Image:
    """160×120: red tells the column, green the row, and there is no blue."""
    picture = np.zeros((120, 160, 3), dtype=np.uint8)
    picture[:, :, 0] = np.linspace(0, 255, 160)
    picture[:, :, 1] = np.linspace(0, 255, 120)[:, None]
    return Image.fromarray(picture)


@pytest.fixture
def photo() -> Image.Image:
    """80×60, a few soft blots of colour."""
    noise = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((80, 60), Image.Resampling.BICUBIC)
