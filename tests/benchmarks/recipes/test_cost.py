from typing import Any

import pytest

from benchmarks.recipes.cost import Cost, check_budget, cost_of, steps_of, view_cost, views_of
from benchmarks.recipes.preparing import views_budget
from sscd.errors import UserError


def config(**changes: Any) -> dict[str, Any]:
    """The published recipe's settings that cost, as the parser of `sscd train` gives them."""
    settings: dict[str, dict[str, Any]] = {
        "data": {
            "image_size": 64,
            "views": 2,
            "batch_size": 64,
            "max_training": None,
            "progression": [],
            "unedited": None,
            "local": {"views": 0, "size": 32},
        },
        "model": {
            "network": {"backbone": "resnet18", "last_stage": 4},
            "micro_batch": None,
            "adversarial": {"share": 0.0},
            "weights": None,
            "teacher": {"path": None},
        },
        "trainer": {
            "max_epochs": 24,
            "max_steps": -1,
            "limit_train_batches": None,
            "accumulate_grad_batches": 1,
        },
    }
    for key, value in changes.items():
        section, name = key.split("__")
        settings[section][name] = value
    return settings


def units(**changes: Any) -> float:
    return cost_of(config(**changes), pictures=3028).units


WHOLE = 24 * 3008 * 2


def test_the_published_recipe_costs_the_budget() -> None:
    cost = cost_of(config(), pictures=3028)
    assert (cost.views, cost.units) == (WHOLE, WHOLE)
    assert views_budget(3028, epochs=24)["units"] == WHOLE == 144_384
    assert cost.by_epoch[:2] == (3008 * 2, 2 * 3008 * 2)


def test_smaller_sides_cost_by_operations() -> None:
    # Each stage of a ResNet halves the side: at 32 px all maps have a quarter of the places.
    assert view_cost("resnet18", 32) == pytest.approx(0.25, rel=0.01)
    assert view_cost("resnet18", 96) == pytest.approx(2.25, rel=0.01)
    # At 48 px the last stage's map is 2 × 2 as at 64 px, and the others have 9/16 of the places.
    assert view_cost("resnet18", 48) == pytest.approx((3 * 9 / 16 + 1) / 4, rel=0.05)
    assert view_cost("resnet50", 64) > 2
    # The last of four equal stages, beside a stem of half of one and a head of nothing.
    assert view_cost("resnet18", 64, last_stage=3) == pytest.approx(3.3 / 4.3, rel=0.01)


def test_a_progression_costs_by_its_epochs() -> None:
    half = units(data__progression=[[0.0, 32], [0.5, 64]])
    assert half == pytest.approx(WHOLE * (0.5 * 0.25 + 0.5), rel=0.01)


def test_views_beside_the_two_cost_as_well() -> None:
    assert units(data__unedited="negatives") == 1.5 * WHOLE
    local = units(data__local={"views": 2, "size": 32})
    assert local == pytest.approx(1.25 * WHOLE, rel=0.01)
    data = config(data__unedited="negatives", data__local={"views": 3, "size": 32})["data"]
    assert views_of(data, epoch=0, epochs=1) == [(3, 64), (3, 32)]


def test_gradient_caching_costs_a_third_pass() -> None:
    assert units(model__micro_batch=32) == pytest.approx(4 / 3 * WHOLE)
    assert units(model__micro_batch=64) == WHOLE


def test_steps_end_a_training() -> None:
    cut = config(trainer__max_epochs=11, trainer__max_steps=501)
    assert steps_of(cut, pictures=3028) == 501
    assert cost_of(cut, pictures=3028).views == 501 * 64 * 2
    assert steps_of(config(), pictures=3028) == 24 * 47
    assert units(data__max_training=640) == 24 * 640 * 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model__adversarial": {"share": 0.5}}, "adversarial"),
        ({"trainer__limit_train_batches": 3}, "whole epochs"),
        ({"trainer__accumulate_grad_batches": 2}, "whole epochs"),
        ({"trainer__max_epochs": None}, "max_epochs"),
        ({"trainer__max_epochs": -1}, "max_epochs"),
    ],
)
def test_what_cannot_be_counted_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        units(**changes)


def test_two_percent_over_the_budget_are_refused() -> None:
    check_budget(Cost(1, (1020.0,)), budget=1000, row="x")
    with pytest.raises(UserError, match=r"row x costs 1,021 .* 1.02 × the budget of 1,000"):
        check_budget(Cost(1, (1021.0,)), budget=1000, row="x")
