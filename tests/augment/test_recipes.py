import math
import random
from collections import Counter
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from sscd.augment import operations, overlay, recipes
from sscd.augment.recipes import Recipe, RecipeConfig, RecipeName
from sscd.augment.seeds import view_rng

NAMES: tuple[RecipeName, ...] = get_args(RecipeName)


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
            i: recipe(image, view_rng(seed=0, epoch=0, image_id="x", view=i)).tobytes()
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
        view = recipe(_picture(*shape), np.random.default_rng(i))
        assert (view.mode, view.size) == ("RGB", (16, 16))


def _count(monkeypatch: pytest.MonkeyPatch, name: RecipeName, views: int) -> Counter[str]:
    """How often each operation ran, with its parameters' ranges checked on the way."""
    counts: Counter[str] = Counter()

    def spy(target: Any, attribute: str) -> None:
        def stand_in(image: Image.Image, *_: Any, **__: Any) -> Image.Image:
            counts[attribute] += 1
            return image

        monkeypatch.setattr(target, attribute, stand_in)

    for attribute in ("horizontal_flip", "rotate_right_angle", "rotate_cropped", "greyscale"):
        spy(operations, attribute)
    for attribute in ("brightness", "contrast", "saturation", "hue", "gaussian_blur"):
        spy(operations, attribute)
    spy(recipes, "encode_jpeg")
    for cls in (overlay.TextOverlay, overlay.EmojiOverlay):

        def apply(self: Any, image: Image.Image) -> Image.Image:
            counts[type(self).__name__] += 1
            return image

        monkeypatch.setattr(cls, "apply", apply)
    recipe, image, rng = (
        Recipe(RecipeConfig(name), size=4),
        _picture(8, 8),
        np.random.default_rng(0),
    )
    for _ in range(views):
        recipe(image, rng)
    return counts


COMMON = {
    "horizontal_flip": 0.5,
    "brightness": 0.8,
    "contrast": 0.8,
    "saturation": 0.8,
    "hue": 0.8,
    "greyscale": 0.2,
    "gaussian_blur": 0.5,
}
ADVANCED = {
    "rotate_right_angle": 0.05,
    "rotate_cropped": 0.05,
    "TextOverlay": 0.1,
    "EmojiOverlay": 0.2,
    "encode_jpeg": 0.2,
}


@pytest.mark.parametrize("name", NAMES)
def test_operations_come_as_often_as_published(
    monkeypatch: pytest.MonkeyPatch, name: RecipeName
) -> None:
    views = 4000
    counts = _count(monkeypatch, name, views)
    expected = COMMON | (ADVANCED if name == "advanced" else {})
    assert set(counts) == set(expected)
    for operation, p in expected.items():
        assert abs(counts[operation] / views - p) < 5 * math.sqrt(p * (1 - p) / views), operation


@pytest.mark.parametrize(
    ("name", "low", "high"), [("simclr", 0.1, 2), ("strong_blur", 1, 5), ("advanced", 1, 5)]
)
def test_blur_is_scaled_with_the_view(
    monkeypatch: pytest.MonkeyPatch, name: RecipeName, low: float, high: float
) -> None:
    radii = []

    def record(image: Image.Image, *, radius: float) -> Image.Image:
        radii.append(radius)
        return image

    monkeypatch.setattr(operations, "gaussian_blur", record)
    recipe, rng = Recipe(RecipeConfig(name), size=56), np.random.default_rng(0)
    for _ in range(300):
        recipe(_picture(8, 8), rng)
    assert low / 4 <= min(radii) < low / 4 + 0.1
    assert high / 4 - 0.1 < max(radii) <= high / 4


def test_gentle_settings_reach_the_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    factors, areas = [], []

    def record(image: Image.Image, *, factor: float) -> Image.Image:
        factors.append(factor)
        return image

    def crop(image: Image.Image, *, box: operations.Box, size: int) -> Image.Image:
        areas.append((box[2] - box[0]) * (box[3] - box[1]) / (image.width * image.height))
        return image.resize((size, size))

    monkeypatch.setattr(operations, "brightness", record)
    monkeypatch.setattr(operations, "crop_and_resize", crop)
    config = RecipeConfig("strong_blur", crop_scale=(0.5, 0.6), jitter_strength=0.25)
    recipe, rng = Recipe(config, size=8), np.random.default_rng(0)
    for _ in range(200):
        recipe(_picture(64, 64), rng)
    assert 0.8 <= min(factors) < 0.85
    assert 1.15 < max(factors) <= 1.2
    assert 0.47 < min(areas) <= max(areas) < 0.63


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "hard"}, "expected simclr, strong_blur or advanced"),
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
