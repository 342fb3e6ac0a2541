import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.air_gap import AirGap
from sscd.augment.edits.canvas import GRID, Canvas

NONE = (0.0, 0.0)
AIR_GAP = AirGap(
    screen=0.7,
    bezel=(0.0, 0.12),
    ambient=(0.25, 0.9),
    fill=(0.7, 0.97),
    resolution=(0.7, 1.0),
    tilt=(-20.0, 20.0),
    roll=(-7.0, 7.0),
    distance=(1.3, 2.5),
    moire=(0.0, 0.35),
    grid=(80.0, 240.0),
    fringes=(2.0, 14.0),
    chroma=(0.0, 0.8),
    exposure=(0.9, 2.0),
    curve=(0.0, 0.5),
    cast=(-0.3, 0.3),
    vignette=(0.0, 0.5),
    glare=(0.0, 0.25),
    defocus=(0.002, 0.009),
    motion=(0.0, 0.015),
    shot_noise=(0.0002, 0.004),
    read_noise=(0.001, 0.006),
)
# The same geometry by a camera that keeps colours.
FAITHFUL = replace(
    AIR_GAP,
    moire=NONE,
    exposure=(1.0, 1.0),
    curve=NONE,
    cast=NONE,
    vignette=NONE,
    glare=NONE,
    defocus=NONE,
    motion=NONE,
    shot_noise=NONE,
    read_noise=NONE,
)


def ramp(width: int, height: int) -> Image.Image:
    """Red says how far to the right a pixel is, green how far down; blue is 255."""
    red = np.tile(55 + (np.arange(width) + 0.5) * 200 / width, (height, 1))
    green = np.tile((55 + (np.arange(height) + 0.5) * 200 / height)[:, None], (1, width))
    return Image.fromarray(np.round(np.stack([red, green, 0 * red + 255], 2)).astype(np.uint8))


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (213, 160), (1024, 768)])
def test_any_picture_is_photographed(size: tuple[int, int]) -> None:
    canvas = Canvas.of(noise(*size))
    before = np.array(canvas.image)
    for seed in range(3 if size[0] > 1000 else 10):
        edited, parameters = AIR_GAP(canvas, np.random.default_rng(seed), None)
        assert edited.image.mode == "RGB"
        assert edited.cells.mode == "I"
        assert edited.image.size == edited.cells.size
        assert edited.surviving_area > 0.5
        assert json.loads(json.dumps(parameters)) == parameters
        if min(size) > 100:
            assert edited.image.width * edited.image.height < 2.8 * size[0] * size[1]
    np.testing.assert_array_equal(np.asarray(canvas.image), before)


def test_cells_and_pixels_agree_in_perspective() -> None:
    canvas = Canvas.of(ramp(240, 180))
    for seed in range(12):
        # A print's border is as blue as the ramp.
        edited, _ = replace(FAITHFUL, screen=1.0)(canvas, np.random.default_rng(seed), None)
        cells, image = np.asarray(edited.cells), np.asarray(edited.image).astype(float)
        clear = (cells > 0) & (image[..., 2] >= 254)
        assert clear.sum() > 0.9 * (cells > 0).sum()
        column, row = (cells[clear] - 1) % GRID, (cells[clear] - 1) // GRID
        x, y = ((image[clear][:, channel] - 55) / 200 * GRID for channel in (0, 1))
        for seen, cell in ((x, column), (y, row)):
            assert abs((seen - (cell + 0.5)).mean()) < 0.1
            assert np.abs(seen - (cell + 0.5)).max() < 1.0
        assert (image[cells == 0][:, 2] > 250).mean() < 0.9
        assert edited.surviving_area > 0.99


def test_photographs_follow_from_the_random_stream() -> None:
    canvas = Canvas.of(noise(100, 80))
    first, again, other = (AIR_GAP(canvas, np.random.default_rng(seed), None) for seed in (5, 5, 6))
    assert first[0].image.tobytes() == again[0].image.tobytes()
    assert first[1] == again[1]
    assert first[0].image.tobytes() != other[0].image.tobytes()


def test_screens_are_dark_around_and_prints_white() -> None:
    canvas = Canvas.of(Image.new("RGB", (120, 90), (128, 128, 128)))
    flat = replace(
        FAITHFUL, bezel=(0.2, 0.2), tilt=NONE, roll=NONE, resolution=(1.0, 1.0), fill=(0.9, 0.9)
    )
    for screen, low, high in ((1.0, 0, 50), (0.0, 205, 256)):
        edited, parameters = replace(flat, screen=screen)(canvas, np.random.default_rng(3), None)
        frame = np.asarray(edited.image)[np.asarray(edited.cells) == 0]
        assert low <= np.percentile(frame, 10) <= np.percentile(frame, 90) < high
        setting = parameters["setting"]
        assert isinstance(setting, dict)
        assert setting["screen"] is bool(screen)
        assert (parameters["moire"] is None) == (not screen)
        shown = np.asarray(edited.image)[np.asarray(edited.cells) > 0]
        assert np.median(shown) == pytest.approx(128, abs=1)


def test_only_screens_show_moire() -> None:
    canvas = Canvas.of(Image.new("RGB", (120, 90), (128, 128, 128)))
    strong = replace(FAITHFUL, moire=(0.35, 0.35), bezel=(0.1, 0.1))
    for screen in (1.0, 0.0):
        edited, _ = replace(strong, screen=screen)(canvas, np.random.default_rng(1), None)
        # The edge blends with the frame.
        shown = np.asarray(edited.image)[np.asarray(edited.cells) > 0].astype(float)
        spread = np.percentile(shown, 90) - np.percentile(shown, 10)
        assert spread > 15 if screen else spread <= 2


def test_every_strength_has_an_effect() -> None:
    canvas = Canvas.of(noise(64, 48))
    plain = FAITHFUL(canvas, np.random.default_rng(0), None)[0].image
    changes = {
        "moire": (0.3, 0.3),
        "exposure": (1.8, 1.8),
        "curve": (0.5, 0.5),
        "cast": (0.2, 0.2),
        "vignette": (0.5, 0.5),
        "glare": (0.2, 0.2),
        "defocus": (0.02, 0.02),
        "motion": (0.05, 0.05),
        "shot_noise": (0.01, 0.01),
        "read_noise": (0.01, 0.01),
    }
    for name, strength in changes.items():
        changed = replace(FAITHFUL, **{name: strength})  # type: ignore[arg-type]
        image = changed(canvas, np.random.default_rng(0), None)[0].image
        assert image.size == plain.size
        difference = np.asarray(image).astype(float) - np.asarray(plain)
        assert np.abs(difference).mean() > 0.5, name
