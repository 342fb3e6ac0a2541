"""Where in a training a checkpoint is of, in the counters that Lightning keeps of its loops.

Lightning notes how far each loop is when a checkpoint is made, and goes on from there. These
functions put its notes right for the moments that it does not foresee. All change a checkpoint's
`loops` in place.
"""

from collections.abc import Iterator
from typing import Any

Loops = dict[str, Any]
_TRAINING = "epoch_loop.batch_progress"
_VALIDATION = "epoch_loop.val_loop.batch_progress"


def fit_loops(checkpoint: dict[str, Any]) -> Loops:
    """The part of a checkpoint that is of the training's loops."""
    loops: Loops = checkpoint["loops"]["fit_loop"]
    return loops


def mark_validation_done(loops: Loops) -> None:
    """No validation is under way: what it counted is whole, and so is what loaders gave."""
    for loader in loops["state_dict"].get("combined_loader", []):
        # A loader that was told at a validation to begin the next epoch counts from there.
        loader["batches"] = loops[_TRAINING]["current"]["processed"]
    for counts in _counts(loops, _VALIDATION):
        _set(counts, counts["completed"])


def mark_validation_due(loops: Loops) -> None:
    """A validation has begun and not ended: the run that goes on begins with it."""
    mark_validation_done(loops)
    for counts in _counts(loops, _VALIDATION):
        counts["ready"] += 1
        counts["started"] += 1


def is_validation_due(checkpoint: dict[str, Any]) -> bool:
    """Whether the run that goes on from a checkpoint begins with a validation."""
    total = fit_loops(checkpoint)[_VALIDATION]["total"]
    return bool(total["started"] > total["completed"])


def rewind_to_step(loops: Loops, *, accumulated: int) -> bool:
    """Go back from between two batches to the end of the last optimiser step.

    Args:
        loops: Of a checkpoint that was made while the next batch was waited for.
        accumulated: Batches whose gradients one step adds up; the gradients are not saved.

    Returns:
        Whether there is such a step in this epoch; if not, nothing is changed.
    """
    begun = loops[_TRAINING]["current"]["completed"] % accumulated
    if loops[_TRAINING]["current"]["completed"] - begun < 1:
        return False
    for counts in _counts(loops, _TRAINING):
        _set(counts, counts["completed"] - begun)
        counts["completed"] -= 1  # as at the end of a batch, when steps are saved
    loops[_TRAINING]["is_last_batch"] = False
    loops["epoch_loop.state_dict"]["_batches_that_stepped"] -= 1  # counted when going on
    mark_validation_done(loops)
    return True


def _counts(loops: Loops, name: str) -> Iterator[dict[str, int]]:
    yield loops[name]["total"]
    yield loops[name]["current"]


def _set(counts: dict[str, int], number: int) -> None:
    for key in ("ready", "started", "processed", "completed"):
        counts[key] = number
