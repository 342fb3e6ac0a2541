"""Stops a run whose loss or gradient is no longer finite."""

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor
from torch.optim import Optimizer

from sscd.errors import UserError
from sscd.training.module import CopyDetector


class DivergenceGuard(Callback):
    """Logs the gradient norm and stops a run whose loss or gradient is no longer finite.

    The first bad step is noted on the device and read back at every step on a CPU, and on a GPU,
    which reading stalls, every `every` steps and before anything is validated or saved.

    Args:
        every: Steps between looks at a GPU.
    """

    def __init__(self, every: int = 20) -> None:
        self.every = every
        self._first_bad: Tensor | None = None

    def on_before_backward(  # type: ignore[override]
        self, trainer: Trainer, pl_module: CopyDetector, loss: Tensor
    ) -> None:
        """Note a loss that is not finite."""
        self._note(loss.detach(), trainer.global_step)

    def on_before_optimizer_step(  # type: ignore[override]
        self, trainer: Trainer, pl_module: CopyDetector, optimizer: Optimizer
    ) -> None:
        """Log the gradient's norm, and look at it before it reaches the weights."""
        norm = torch.nn.utils.get_total_norm(
            [p.grad for p in pl_module.parameters() if p.grad is not None]
        )
        pl_module.log("train/grad_norm", norm)
        # Scaled half-precision gradients overflow as a matter of course; the scaler skips them.
        if getattr(trainer.precision_plugin, "scaler", None) is None:
            self._note(norm, trainer.global_step)
        if norm.device.type == "cpu" or trainer.global_step % self.every == 0:
            self._stop_if_bad(trainer, pl_module)

    def on_validation_start(self, trainer: Trainer, pl_module: CopyDetector) -> None:  # type: ignore[override]
        """Do not validate, or save for it, what has diverged."""
        self._stop_if_bad(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: CopyDetector) -> None:  # type: ignore[override]
        """Do not save what has diverged."""
        self._stop_if_bad(trainer, pl_module)

    def _note(self, value: Tensor, step: int) -> None:
        if self._first_bad is None:
            self._first_bad = torch.full((), torch.inf, device=value.device)
        bad = torch.where(torch.isfinite(value), torch.inf, float(step))
        self._first_bad = torch.minimum(self._first_bad, bad)

    def _stop_if_bad(self, trainer: Trainer, pl_module: CopyDetector) -> None:
        if self._first_bad is None or not torch.isfinite(self._first_bad):
            return
        step = int(self._first_bad)
        weight = pl_module.entropy_weight(step)
        raise UserError(
            f"training diverged at step {step}: loss or gradient is not finite with entropy "
            f"weight {weight:g}; lower model.objective.entropy_weight or model.optimizer.lr, and "
            "go on with --ckpt_path last if there is a checkpoint"
        )
