"""Where a run's files go, and what it goes on from; the first of all processes asks."""

from pathlib import Path
from typing import Any

from sscd.models.checkpoint import check_resumable
from sscd.models.descriptor import NetworkConfig
from sscd.training.checkpoints.checkpoint_io import begins_with_validation
from sscd.training.run.run_claim import RunClaim
from sscd.training.run.run_directory import (
    has_checkpoint,
    is_launched_child,
    new_run,
    resumed_run,
)


def choose_run(config: Any, *, default: Path, claim: RunClaim) -> dict[str, Any]:
    """Choose and claim a run directory.

    `ckpt_path` may be a path, `last`, or `auto`: the last where there is one, else a new run, for
    scripts that start a training again and again until it is done.

    Args:
        config: The resolved configuration.
        default: The run directory where none is configured.
        claim: Keeps other trainings out of it.

    Returns:
        Plain values: the directory `run`, its `checkpoint` or None, the step it is `resumed_at`,
        and whether it first `validates`, since a validation was cut short.

    Raises:
        UserError: The checkpoint is missing or does not fit, or another training uses the run.
    """
    wanted, asked = config["run_dir"], config["ckpt_path"]
    if asked == "auto":
        asked = "last" if has_checkpoint(wanted or default) else None
    if not asked:
        run = new_run(wanted or default)
        if not is_launched_child():
            claim.take(run)
        return {"run": str(run.path), "checkpoint": None, "resumed_at": None, "validates": False}
    run, checkpoint = resumed_run(str(asked), run_dir=wanted, default=default)
    resumed_at = check_resumable(
        checkpoint,
        NetworkConfig(**config["model"]["network"].as_dict()),
        optimizer=config["model"]["optimizer"]["name"],
    )
    if not is_launched_child():
        claim.take(run)
    return {
        "run": str(run.path),
        "checkpoint": str(checkpoint),
        "resumed_at": resumed_at,
        "validates": begins_with_validation(checkpoint),
    }
