"""What is taken for a collapse, and that a run which collapses is told of."""

import math

import pytest

from sscd.training.guards.collapse import CollapseDetector, GuardConfig
from tests.commands.resuming import SMALL
from tests.conftest import Runner

HEALTHY = {
    "nearest_negative_similarity": 0.6,
    "center_norm": 0.3,
    "effective_rank": 40.0,
    "info_nce": 1.0,
}
CHANCE = math.log(63)


def looked(steps: list[dict[str, float]], **limits: float) -> list[str]:
    detector = CollapseDetector(GuardConfig(**limits))  # type: ignore[arg-type]
    return [detector.look(step, chance=CHANCE) for step in steps]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("nearest_negative_similarity", 0.999, "nearest_negative_similarity 0.999 is above 0.995"),
        ("center_norm", 0.99, "center_norm 0.99 is above 0.985"),
        ("effective_rank", 1.01, "effective_rank 1.01 is below 1.06"),
        ("info_nce", 9.0, "info_nce 9 is above 6.215"),
    ],
)
def test_each_limit_is_told_once_patience_ends(name: str, value: float, told: str) -> None:
    steps = [HEALTHY | {name: value}] * 3
    assert looked(steps, patience=3) == ["", "", told]


def test_one_good_step_begins_the_count_anew() -> None:
    bad = HEALTHY | {"center_norm": 1.0}
    assert looked([bad, bad, HEALTHY, bad, bad], patience=3) == [""] * 5


def test_the_loss_of_guessing_is_no_explosion() -> None:
    assert looked([HEALTHY | {"info_nce": CHANCE}] * 5, patience=1) == [""] * 5


def test_statistics_that_are_not_there_are_not_judged() -> None:
    assert looked([{}, {"loss": 3.0}], patience=1) == ["", ""]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"patience": 0}, r"guard\.patience got 0"),
        ({"grace": 1.5}, r"guard\.grace got 1\.5"),
        ({"explosion": 1.0}, r"guard\.explosion got 1"),
    ],
)
def test_limits_that_make_no_sense(limits: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GuardConfig(**limits)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_run_that_collapses_is_stopped_with_advice(run_script: Runner) -> None:
    command = (*SMALL, "--data.workers", "0", "--model.optimizer.lr", "0.3")
    guard = ("--guard.on_collapse", "stop", "--guard.patience", "4", "--guard.grace", "0.05")
    stopped = run_script("train.py", *command, "--model.objective.entropy_weight", "0", *guard)
    assert stopped.returncode == 2, stopped.stderr
    error = stopped.stderr.strip().splitlines()[-1]
    assert error.startswith("sscd: error: training collapsed by step ")
    assert "lower model.optimizer.lr" in error
    assert "Traceback" not in stopped.stderr
