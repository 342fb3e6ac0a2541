from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.capture import Exposure, Lens, Moire, beat, blur, expose, tone_curve
from sscd.augment.edits.view import Camera, look_at

PLAIN = Exposure(
    gain=1.0,
    curve=0.0,
    cast=(1.0, 1.0, 1.0),
    vignette=0.0,
    glare=0.0,
    glare_at=(0.5, 0.5),
    glare_size=0.3,
    shot_noise=0.0,
    read_noise=0.0,
    noise_seed=0,
)
HEAD_ON = Camera(
    tilt=(0.0, 0.0), roll=0.0, distance=2.0, resolution=1.0, fill=(1.0, 1.0), offset=(0.0, 0.0)
)


def shot(scene: Image.Image, **changes: object) -> np.ndarray:
    exposure = replace(PLAIN, **changes)  # type: ignore[arg-type]
    return np.asarray(expose(scene, exposure, factors=None)).astype(float)


def grey(level: int, size: tuple[int, int] = (120, 80)) -> Image.Image:
    return Image.new("RGB", size, (level,) * 3)


def test_a_faithful_camera_changes_next_to_nothing() -> None:
    levels = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (4, 1, 3))
    seen = shot(Image.fromarray(levels))
    assert np.abs(seen - levels)[:, 32:].max() <= 1  # 4096 levels of light are few in the dark
    assert np.abs(seen - levels).max() <= 8


def test_the_tone_curve_rises_from_black_to_white() -> None:
    for strength in (0.0, 0.5, 1.0):
        curve = tone_curve(strength).astype(int)
        assert (curve[0], curve[-1]) == (0, 255)
        assert (np.diff(curve) >= 0).all()
    soft, hard = (tone_curve(strength).astype(int) for strength in (0.0, 1.0))
    assert hard[100] < soft[100]  # shadows darker, highlights lighter
    assert hard[3500] > soft[3500]


def test_over_exposure_clips_highlights() -> None:
    assert shot(grey(128), gain=2.0).mean() == pytest.approx(128 * 2 ** (1 / 2.2), abs=1)
    assert shot(grey(200), gain=2.0).min() == 255


def test_a_cast_is_a_gain_of_each_channel() -> None:
    seen = shot(grey(128), cast=(1.2, 1.0, 0.8))
    expected = [128 * gain ** (1 / 2.2) for gain in (1.2, 1.0, 0.8)]
    np.testing.assert_allclose(seen.mean(axis=(0, 1)), expected, atol=1)


def test_a_vignette_darkens_corners_and_not_the_centre() -> None:
    seen = shot(grey(128), vignette=0.5)
    assert seen[40, 60, 0] == pytest.approx(128, abs=1)
    assert seen[0, 0, 0] == pytest.approx(128 * 0.5 ** (1 / 2.2), abs=1)


def test_glare_shines_where_the_lamp_is() -> None:
    seen = shot(grey(0), glare=0.5, glare_at=(0.25, 0.75), glare_size=0.1)[..., 0]
    y, x = np.unravel_index(int(seen.argmax()), seen.shape)
    assert abs(x - 30) <= 1
    assert abs(y - 60) <= 1
    assert seen.max() == pytest.approx(255 * 0.5 ** (1 / 2.2), abs=2)
    assert seen[0, -1] < 3


def test_shot_noise_grows_with_the_light_and_read_noise_is_there_in_the_dark() -> None:
    light = (128 / 255) ** 2.2
    seen = shot(grey(128, (300, 200)), shot_noise=0.001)
    slope = 128 / 2.2 / light  # of the level over the light
    assert seen.std() == pytest.approx(slope * (0.001 * light) ** 0.5, rel=0.05)
    assert shot(grey(0), shot_noise=0.001).max() == 0
    assert shot(grey(0), read_noise=0.005).max() > 10


def test_noise_follows_from_its_seed_and_its_grain_grows_with_the_picture() -> None:
    one, same, other = (shot(grey(99), read_noise=0.01, noise_seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.5
    large = shot(grey(99, (1300, 1280)), read_noise=0.01)[..., 0]
    large -= large.mean()
    assert (large[:, 1:] * large[:, :-1]).mean() > 0.8 * large.var()
    assert (large[:, 12:] * large[:, :-12]).mean() < 0.1 * large.var()
    assert large.std() == pytest.approx((one - one.mean()).std(), rel=0.4)


def test_a_movement_smears_along_its_direction() -> None:
    image = Image.new("RGB", (100, 100))
    image.putpixel((50, 50), (255, 255, 255))
    lens = Lens(defocus=0.0, motion=0.16, direction=0.0)
    smeared = np.asarray(blur(image, lens))[..., 0].astype(float)
    assert set(np.nonzero(smeared)[0]) == {50}
    columns = np.nonzero(smeared[50])[0]
    assert columns.max() - columns.min() == 14  # eight exposures, each 2 pixels on
    assert smeared.sum() == pytest.approx(255, rel=0.05)


def test_defocus_spreads_alike_in_all_directions() -> None:
    image = Image.new("RGB", (100, 100))
    image.paste((255, 255, 255), (45, 45, 56, 56))
    spread = np.asarray(blur(image, Lens(defocus=0.03, motion=0.0, direction=0.0)))[..., 0]
    np.testing.assert_allclose(spread.astype(int), spread.T.astype(int), atol=1)
    assert 100 < spread[50, 50] < 255
    assert spread[50, 40] > 0


def test_a_still_and_focused_camera_does_not_blur() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    sharp = blur(Image.fromarray(pixels), Lens(defocus=0.0, motion=0.0, direction=70.0))
    np.testing.assert_array_equal(np.asarray(sharp), pixels)


def test_fringes_are_straight_and_as_many_as_asked_for_when_seen_head_on() -> None:
    moire = Moire(strength=0.3, grid=50.0, columns=(5.0, 0.0), rows=(0.0, 0.0), chroma=0.0)
    factors = beat(look_at((120, 80), HEAD_ON), moire, period=80 / 50)
    assert factors.shape == (80, 120, 3)
    assert factors.dtype == np.float32
    np.testing.assert_allclose(factors, np.broadcast_to(factors[:1], factors.shape), atol=2e-3)
    np.testing.assert_allclose(factors[..., 0], factors[..., 1], atol=1e-5)
    wave = factors[0, :80, 1] - factors[0, :80, 1].mean()  # the short side: 5 beats
    assert int(np.abs(np.fft.rfft(wave)).argmax()) == 5
    assert np.ptp(factors) == pytest.approx(0.3, rel=0.02)
    assert np.abs(factors - 1).max() <= 0.3 + 1e-5


def test_colours_of_a_moire_lie_a_third_of_a_fringe_apart() -> None:
    moire = Moire(strength=0.3, grid=50.0, columns=(1.0, 0.0), rows=(0.0, 0.0), chroma=1.0)
    factors = beat(look_at((120, 120), HEAD_ON), moire, period=120 / 50)
    peaks = factors[0].argmax(axis=0)
    apart = np.diff(peaks) % 120  # both one way round
    assert np.abs(apart - 40).max() <= 2 or np.abs(apart - 80).max() <= 2


def test_fringes_bend_on_a_tilted_screen() -> None:
    moire = Moire(strength=0.3, grid=200.0, columns=(3.0, 0.0), rows=(0.0, 0.0), chroma=0.0)
    camera = replace(HEAD_ON, tilt=(15.0, 10.0))
    factors = beat(look_at((120, 80), camera), moire, period=80 / 200)[..., 1]
    assert np.abs(factors - factors[:1]).max() > 0.1
