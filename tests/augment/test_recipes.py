import math
import random
from collections import Counter
from dataclasses import asdict
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from sscd.augment import fast_pixels, operations
from sscd.augment.augly import ops as augly_ops
from sscd.augment.overlay import EmojiOverlay, TextOverlay
from sscd.augment.recipes import (
    JITTER,
    PUBLISHED_SIZE,
    SIMCLR_BLUR,
    STRONG_BLUR,
    Recipe,
    RecipeConfig,
    RecipeName,
    ViewPlan,
)
from sscd.augment.seeds import view_rng

NAMES: tuple[RecipeName, ...] = get_args(RecipeName)
PUBLISHED: tuple[RecipeName, ...] = ("simclr", "strong_blur", "advanced")


class Noise:
    """Other pictures, of which edits lay some beside a view."""

    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        return "noise", _picture(int(rng.integers(1, 50)))


def _picture(width: int = 60, height: int = 45) -> Image.Image:
    noise = np.random.default_rng(5).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("name", NAMES)
def test_views_repeat_whatever_the_global_state(name: RecipeName) -> None:
    recipe, image = Recipe(RecipeConfig(name), size=32), _picture()
    before = image.tobytes()

    def views(global_seed: int, order: list[int]) -> dict[int, bytes]:
        random.seed(global_seed)
        np.random.seed(global_seed)  # noqa: NPY002
        return {
            i: recipe(image, view_rng(seed=0, epoch=0, image_id="x", view=i), Noise()).tobytes()
            for i in order
        }

    forward, backward = views(1, list(range(60))), views(2, list(range(59, -1, -1)))
    assert forward == backward
    assert len(set(forward.values())) > 55
    assert image.tobytes() == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 2), (33, 32)])
def test_any_shape_gives_the_asked_size(name: RecipeName, shape: tuple[int, int]) -> None:
    recipe = Recipe(RecipeConfig(name), size=16)
    for i in range(25):
        view = recipe(_picture(*shape), np.random.default_rng(i), Noise())
        assert (view.mode, view.size) == ("RGB", (16, 16))


def _plain_view(
    image: Image.Image, config: RecipeConfig, rng: np.random.Generator, *, size: int
) -> Image.Image:
    """The recipe step by step, the whole picture each time, with AugLy's overlays."""
    advanced = config.name == "advanced"
    if advanced:
        image = _disturb(image, rng)
    box = operations.random_resized_crop_box(
        rng,
        width=image.width,
        height=image.height,
        scale=config.crop_scale,
        ratio=config.crop_ratio,
    )
    view = image.crop(box).resize((size, size), Image.Resampling.BILINEAR)
    if not advanced and rng.random() < 0.5:
        view = operations.horizontal_flip(view)
    if rng.random() < 0.8:
        view = _jitter(view, rng, config.jitter_strength)
    if rng.random() < 0.2:
        view = operations.greyscale(view)
    blur = SIMCLR_BLUR if config.name == "simclr" else STRONG_BLUR
    if rng.random() < 0.5:
        radius = rng.uniform(blur[0] * size / PUBLISHED_SIZE, blur[1] * size / PUBLISHED_SIZE)
        view = operations.gaussian_blur(view, radius=radius)
    if advanced and rng.random() < 0.2:
        view = augly_ops.encode_jpeg(view, quality=int(rng.integers(0, 101)))
    return view


def _disturb(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    if rng.random() < 0.5:
        image = operations.horizontal_flip(image)
    if rng.random() < 0.05:
        image = operations.rotate_right_angle(image, degrees=90 * int(rng.integers(1, 4)))
    if rng.random() < 0.1:
        image = augly_ops.overlay_text(image, **asdict(TextOverlay.draw(rng)))
    if rng.random() < 0.2:
        image = augly_ops.overlay_emoji(image, **asdict(EmojiOverlay.draw(rng)))
    if rng.random() < 0.05:
        image = image.rotate(float(rng.uniform(0, 359)), Image.Resampling.BILINEAR)
    return image


def _jitter(image: Image.Image, rng: np.random.Generator, strength: float) -> Image.Image:
    light, contrast, colour, turn = (value * strength for value in JITTER)
    order = rng.permutation(4).tolist()
    factors = [rng.uniform(max(0.0, 1 - v), 1 + v) for v in (light, contrast, colour)]
    shift = rng.uniform(-turn, turn)
    for step in order:
        if step == 0:
            image = operations.brightness(image, factor=factors[0])
        elif step == 1:
            image = operations.contrast(image, factor=factors[1])
        elif step == 2:
            image = operations.saturation(image, factor=factors[2])
        else:
            image = operations.hue(image, shift=shift)
    return image


def _plans(config: RecipeConfig, *, size: int = 4, views: int = 4000) -> list[ViewPlan]:
    recipe, rng = Recipe(config, size=size), np.random.default_rng(0)
    plans = [recipe.plan((8, 8), rng) for _ in range(views)]
    return [plan for plan in plans if isinstance(plan, ViewPlan)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_views_are_those_of_the_plain_implementation(
    monkeypatch: pytest.MonkeyPatch, name: RecipeName
) -> None:
    monkeypatch.setattr(fast_pixels, "has_opencv", lambda: False)  # whose last bits are others
    for config in (RecipeConfig(name), RecipeConfig(name, crop_scale=(0.2, 0.5))):
        other = 0
        for i in range(250):
            image = _picture(60 + i % 31, 50 + i % 17)
            plain = _plain_view(image, config, np.random.default_rng(i), size=32)
            fast = Recipe(config, size=32)(image, np.random.default_rng(i))
            # A free rotation of a part can round a half the other way than that of the whole.
            assert np.abs(np.asarray(fast).astype(int) - np.asarray(plain)).mean() < 0.05
            other += fast.tobytes() != plain.tobytes()
        assert other <= 2


COMMON = {"flip": 0.5, "jitter": 0.8, "greyscale": 0.2, "blur": 0.5}
ADVANCED = {"right_angle": 0.05, "rotation": 0.05, "text": 0.1, "emoji": 0.2, "jpeg": 0.2}


@pytest.mark.parametrize("name", PUBLISHED)
def test_operations_come_as_often_as_published(name: RecipeName) -> None:
    counts: Counter[str] = Counter()
    plans = _plans(RecipeConfig(name))
    for plan in plans:
        pixels = plan.photometric
        counts["flip"] += plan.geometry.flip
        counts["right_angle"] += plan.geometry.right_angle != 0
        for part in ("text", "emoji", "rotation"):
            counts[part] += getattr(plan.geometry, part) is not None
        counts["jitter"] += len(pixels.jitter_order) == 4
        counts["greyscale"] += pixels.greyscale
        counts["blur"] += pixels.blur > 0
        counts["jpeg"] += pixels.jpeg is not None
    expected = COMMON | (ADVANCED if name == "advanced" else dict.fromkeys(ADVANCED, 0.0))
    assert set(counts) == set(expected)
    for operation, p in expected.items():
        bound = 5 * math.sqrt(p * (1 - p) / len(plans))
        assert abs(counts[operation] / len(plans) - p) <= bound, operation


@pytest.mark.parametrize(
    ("name", "low", "high"), [("simclr", 0.1, 2), ("strong_blur", 1, 5), ("advanced", 1, 5)]
)
def test_blur_is_scaled_with_the_view(name: RecipeName, low: float, high: float) -> None:
    radii = [plan.photometric.blur for plan in _plans(RecipeConfig(name), size=56, views=600)]
    drawn = [radius for radius in radii if radius > 0]
    assert low / 4 <= min(drawn) < low / 4 + 0.1
    assert high / 4 - 0.1 < max(drawn) <= high / 4


def test_gentle_settings_reach_the_plan() -> None:
    config = RecipeConfig("strong_blur", crop_scale=(0.5, 0.6), jitter_strength=0.25)
    recipe, rng = Recipe(config, size=8), np.random.default_rng(0)
    drawn = [recipe.plan((64, 64), rng) for _ in range(300)]
    plans = [plan for plan in drawn if isinstance(plan, ViewPlan)]
    factors = [p.photometric.brightness for p in plans if p.photometric.jitter_order]
    assert 0.8 <= min(factors) < 0.85
    assert 1.15 < max(factors) <= 1.2
    assert max(abs(p.photometric.hue) for p in plans) <= 0.05
    boxes = np.array([p.geometry.box for p in plans])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / 64**2
    assert 0.47 < areas.min() <= areas.max() < 0.63


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "hard"}, "expected simclr, strong_blur, advanced, whole, edits"),
        ({"crop_scale": (0.0, 1.0)}, "crop_scale"),
        ({"crop_scale": (0.9, 0.2)}, "crop_scale"),
        ({"crop_scale": (0.5, float("nan"))}, "crop_scale"),
        ({"crop_ratio": (0.0, 1.0)}, "crop_ratio"),
        ({"crop_ratio": (1.0, float("inf"))}, "crop_ratio"),
        ({"jitter_strength": -1.0}, "jitter_strength"),
        ({"jitter_strength": float("nan")}, "jitter_strength"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecipeConfig(**settings)


def test_wrong_size_or_mode_is_named() -> None:
    with pytest.raises(ValueError, match="size got 0"):
        Recipe(RecipeConfig(), size=0)
    with pytest.raises(ValueError, match="expected RGB"):
        Recipe(RecipeConfig(), size=8)(Image.new("L", (9, 9)), np.random.default_rng(0))


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_the_whole_picture_may_be_a_view(mirror: float) -> None:
    recipe = Recipe(RecipeConfig("whole", (1, 1), jitter_strength=0.0, mirror=mirror), size=20)
    picture = _picture(61, 37)
    expected = picture.resize((20, 20), Image.Resampling.BILINEAR)
    if mirror:
        expected = operations.horizontal_flip(picture).resize((20, 20), Image.Resampling.BILINEAR)
    view = recipe(picture, np.random.default_rng(0))
    assert view.tobytes() == expected.tobytes()


def test_crops_of_the_whole_keep_all_but_colour() -> None:
    recipe = Recipe(RecipeConfig("whole", (0.3, 0.6), jitter_strength=0.5), size=20)
    plans = [recipe.plan((200, 100), np.random.default_rng(n)) for n in range(100)]
    assert all(isinstance(plan, ViewPlan) for plan in plans)
    pixels = [plan.photometric for plan in plans]
    assert not any(p.greyscale or p.blur or p.jpeg is not None for p in pixels)
    assert 60 < sum(bool(p.jitter_order) for p in pixels) < 97
    shares = [_area(plan) / 20_000 for plan in plans if isinstance(plan, ViewPlan)]
    assert 0.29 < min(shares) < 0.4
    assert 0.5 < max(shares) < 0.61


def _area(plan: ViewPlan) -> int:
    left, top, right, bottom = plan.geometry.box
    return (right - left) * (bottom - top)


def test_mirroring_as_often_as_asked() -> None:
    for name in ("advanced", "simclr"):
        for mirror, expected in ((0.0, 0), (0.2, 40), (1.0, 200)):
            recipe = Recipe(RecipeConfig(name, mirror=mirror), size=8)
            plans = [recipe.plan((60, 40), np.random.default_rng(n)) for n in range(200)]
            flips = sum(plan.geometry.flip for plan in plans if isinstance(plan, ViewPlan))
            assert abs(flips - expected) < 25 * (0 < mirror < 1) + 1
    with pytest.raises(ValueError, match=r"mirror got 1\.5; expected a probability"):
        RecipeConfig(mirror=1.5)
