"""Random numbers that depend on the step alone, so that a resumed run draws the same."""

from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class StepSeed(Callback):
    """Seeds torch before each batch, for dropout and stochastic depth.

    No random state needs to be saved, and it does not matter what else drew from it. Ranks draw
    differently.

    Args:
        seed: Of the training.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed the CPU and the GPUs; nothing waits for them."""
        # The batch, not the step: a step may accumulate several, which must not draw alike.
        epoch = trainer.fit_loop.epoch_progress.current.processed  # type: ignore[attr-defined]
        torch.manual_seed(batch_seed(self.seed, epoch, batch_idx, trainer.global_rank))


def batch_seed(seed: int, epoch: int, batch: int, rank: int) -> int:
    """A seed of 64 bits for one batch of one rank.

    >>> batch_seed(0, 3, 7, 0) == batch_seed(0, 3, 7, 0) != batch_seed(0, 3, 7, 1)
    True
    """
    words = np.random.SeedSequence((seed, epoch, batch, rank)).generate_state(1, np.uint64)
    return int(words[0])
