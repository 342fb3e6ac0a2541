"""Stops a run whose loss or gradient is no longer finite."""

import math

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor
from torch.optim import Optimizer

from sscd.errors import UserError
from sscd.training.module import CopyDetector
from sscd.training.steps.delayed import DelayedReader, Values


class DivergenceGuard(Callback):
    """Logs the gradient norm and stops a run whose loss or gradient is no longer finite.

    Every step is looked at: on a CPU before it reaches the weights, on a GPU, which waiting would
    stall, some steps later, and in any case before anything is validated or saved.

    Args:
        delay: As of `DelayedReader`.
    """

    def __init__(self, delay: int | None = None) -> None:
        self._reader = DelayedReader(delay)
        self._loss: Tensor | None = None

    def on_before_backward(  # type: ignore[override]
        self, trainer: Trainer, pl_module: CopyDetector, loss: Tensor
    ) -> None:
        """Add up the losses that one step accumulates; what is not finite stays so."""
        # The mean over ranks, where the module has it: ranks then stop at the same step.
        seen = pl_module.last_statistics.get("loss", loss).detach()
        self._loss = seen if self._loss is None else self._loss + seen

    def on_before_optimizer_step(  # type: ignore[override]
        self, trainer: Trainer, pl_module: CopyDetector, optimizer: Optimizer
    ) -> None:
        """Log the gradient's norm, and send it and the loss to be looked at."""
        norm = torch.nn.utils.get_total_norm(
            [p.grad for p in pl_module.parameters() if p.grad is not None]
        )
        pl_module.log("train/grad_norm", norm)
        values = {} if self._loss is None else {"loss": self._loss.to(norm.device)}
        # Scaled half-precision gradients overflow as a matter of course; the scaler skips them.
        if getattr(trainer.precision_plugin, "scaler", None) is None:
            values["gradient norm"] = norm
        self._loss = None
        self._reader.push(trainer.global_step, values)
        for step, seen in self._reader.pop():
            self._stop_if_bad(pl_module, step, seen)

    def look(self, trainer: Trainer, pl_module: CopyDetector) -> None:
        """Look at all steps up to now.

        Raises:
            UserError: One of them diverged.
        """
        for step, seen in self._reader.drain():
            self._stop_if_bad(pl_module, step, seen)

    def on_validation_start(self, trainer: Trainer, pl_module: CopyDetector) -> None:  # type: ignore[override]
        """Do not validate, or save for it, what has diverged."""
        self.look(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: CopyDetector) -> None:  # type: ignore[override]
        """Do not save what has diverged."""
        self.look(trainer, pl_module)

    def _stop_if_bad(self, pl_module: CopyDetector, step: int, seen: Values) -> None:
        bad = [name for name, value in seen.items() if not math.isfinite(value)]
        if not bad:
            return
        weight = pl_module.entropy_weight(step)
        named = f"{' and '.join(bad)} {'is' if len(bad) == 1 else 'are'}"
        raise UserError(
            f"training diverged at step {step}: {named} not finite with entropy "
            f"weight {weight:g}; lower model.objective.entropy_weight or model.optimizer.lr, and "
            "go on with --ckpt_path last if there is a checkpoint"
        )
