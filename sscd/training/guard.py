"""Stops a run whose loss or gradient is no longer finite."""

import torch
from lightning.pytorch import Callback, Trainer
from torch.optim import Optimizer

from sscd.errors import UserError
from sscd.training.module import CopyDetector


class DivergenceGuard(Callback):
    """Logs the gradient norm and stops a run whose loss or gradient is no longer finite.

    On a GPU the check waits for every `every` steps, since reading a value back stalls it; a
    non-finite loss makes the weights non-finite, so none is missed.

    Args:
        every: Steps between checks on a GPU.
    """

    def __init__(self, every: int = 20) -> None:
        self.every = every

    def on_before_optimizer_step(  # type: ignore[override]
        self, trainer: Trainer, pl_module: CopyDetector, optimizer: Optimizer
    ) -> None:
        """Check the gradient before it reaches the weights."""
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        pl_module.log("train/grad_norm", norm)
        # Scaled half-precision gradients overflow as a matter of course; the scaler skips them.
        if getattr(trainer.precision_plugin, "scaler", None) is not None:
            return
        on_cpu = norm.device.type == "cpu"
        if (on_cpu or trainer.global_step % self.every == 0) and not torch.isfinite(norm):
            weight = pl_module.objective.entropy_weight_at(pl_module.progress)
            raise UserError(
                f"training diverged at step {trainer.global_step}: loss or gradient is not finite "
                f"with entropy weight {weight:g}; lower model.objective.entropy_weight or "
                "model.optimizer.lr, and resume with --ckpt_path last"
            )
