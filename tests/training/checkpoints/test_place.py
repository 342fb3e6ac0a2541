"""Counters of loops, put right by hand."""

import copy
from typing import Any

from sscd.training.checkpoints.place import (
    is_validation_due,
    mark_validation_done,
    mark_validation_due,
    rewind_to_step,
)


def counts(number: int) -> dict[str, int]:
    return dict.fromkeys(("ready", "started", "processed", "completed"), number)


def loops(*, batches: int, earlier: int = 10, validated: int = 4) -> dict[str, Any]:
    """Between two batches of an epoch, `batches` of which are done."""
    return {
        "state_dict": {"combined_loader": [{"epoch": 1, "batches": batches}]},
        "epoch_loop.state_dict": {"_batches_that_stepped": 20},
        "epoch_loop.batch_progress": {
            "total": counts(earlier + batches),
            "current": counts(batches),
            "is_last_batch": True,
        },
        "epoch_loop.val_loop.batch_progress": {
            "total": counts(validated),
            "current": counts(validated),
            "is_last_batch": True,
        },
    }


def test_a_validation_that_begins_is_due() -> None:
    fit = loops(batches=6)
    mark_validation_due(fit)
    total = fit["epoch_loop.val_loop.batch_progress"]["total"]
    assert total == {"ready": 5, "started": 5, "processed": 4, "completed": 4}
    assert is_validation_due({"loops": {"fit_loop": fit}})
    mark_validation_done(fit)
    assert not is_validation_due({"loops": {"fit_loop": fit}})
    assert fit == loops(batches=6)


def test_a_loader_that_looks_ahead_is_put_back() -> None:
    fit = loops(batches=6)
    fit["state_dict"]["combined_loader"][0]["batches"] = 0
    mark_validation_done(fit)
    assert fit["state_dict"]["combined_loader"][0]["batches"] == 6


def test_rewinding_to_the_end_of_a_step() -> None:
    fit = loops(batches=7)
    assert rewind_to_step(fit, accumulated=3)
    batch = fit["epoch_loop.batch_progress"]
    assert batch["current"] == {"ready": 6, "started": 6, "processed": 6, "completed": 5}
    assert batch["total"] == {"ready": 16, "started": 16, "processed": 16, "completed": 15}
    assert not batch["is_last_batch"]
    assert fit["epoch_loop.state_dict"]["_batches_that_stepped"] == 19
    assert fit["state_dict"]["combined_loader"][0]["batches"] == 6


def test_no_step_of_this_epoch_to_go_back_to() -> None:
    fit = loops(batches=2)
    before = copy.deepcopy(fit)
    assert not rewind_to_step(fit, accumulated=3)
    assert fit == before
