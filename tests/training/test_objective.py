"""The schedule of the entropy weight, and its configuration."""

import pytest

from sscd.training.objective import ObjectiveConfig


def test_weight_waits_then_rises() -> None:
    config = ObjectiveConfig(entropy_weight=10.0, entropy_delay=0.2, entropy_ramp=0.5)
    weights = [config.entropy_weight_at(p) for p in (0.0, 0.19, 0.2, 0.45, 0.7, 1.0)]
    assert weights == pytest.approx([0.0, 0.0, 0.0, 5.0, 10.0, 10.0])


def test_published_weight_is_constant() -> None:
    config = ObjectiveConfig(entropy_weight=30.0)
    assert {config.entropy_weight_at(p) for p in (0.0, 0.5, 1.0)} == {30.0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 0.0}, "temperature got 0"),
        ({"entropy_weight": -1.0}, "entropy_weight got -1"),
        ({"entropy_delay": 0.7, "entropy_ramp": 0.6}, "expected at most 1"),
        ({"entropy_delay": -0.1}, "must not be negative"),
    ],
)
def test_wrong_values(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ObjectiveConfig(**values)
