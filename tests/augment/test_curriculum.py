"""A recipe that grows from gentle to strong."""

from typing import Any

import pytest

from sscd.augment.curriculum import CurriculumConfig
from sscd.augment.recipes import RecipeConfig


def test_the_recipe_grows_linearly_and_then_is_itself() -> None:
    curriculum = CurriculumConfig(
        until=0.5, crop_scale=(0.48, 0.9), jitter_strength=0.2, share=0.25
    )
    recipe = RecipeConfig("simclr", (0.08, 1.0), jitter_strength=1.0, mirror=0.3)
    grown = [curriculum.grown(epoch, 8) for epoch in range(8)]
    assert grown == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]
    half = curriculum.recipe_at(0.5, recipe)
    assert half.crop_scale == pytest.approx((0.28, 0.95))
    assert half.jitter_strength == pytest.approx(0.6)
    assert (half.name, half.mirror, half.crop_ratio) == ("simclr", 0.3, recipe.crop_ratio)
    assert curriculum.recipe_at(0.0, recipe).crop_scale == (0.48, 0.9)
    assert curriculum.recipe_at(1.0, recipe) is recipe
    assert [curriculum.share_at(g) for g in (0.0, 0.5, 1.0)] == [0.25, 0.625, 1.0]


def test_without_one_the_recipe_is_itself_from_the_start() -> None:
    assert CurriculumConfig().grown(0, 5) == 1.0
    assert CurriculumConfig(until=1.0).grown(4, 5) == 0.8


def test_epochs_may_be_a_part_of_one() -> None:
    """A training of so many steps may end within its first epoch."""
    assert CurriculumConfig(until=0.5).grown(0, 0.3) == 0.0
    assert CurriculumConfig(until=0.5).grown(1, 2.5) == 0.8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"until": 1.1}, "curriculum.until got 1.1; expected a share"),
        ({"until": float("nan")}, "curriculum.until got nan"),
        ({"share": -0.1}, "curriculum.share got -0.1"),
        ({"crop_scale": (0.0, 1.0)}, "curriculum.crop_scale got"),
        ({"crop_scale": (0.9, 0.5)}, "curriculum.crop_scale got"),
        ({"jitter_strength": -1.0}, "curriculum.jitter_strength got -1"),
    ],
)
def test_wrong_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CurriculumConfig(**values)
