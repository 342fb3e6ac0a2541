"""The logging half of the Lightning module: the numbers of a step, where they will be read."""

from typing import Any

import torch
from torch import Tensor

from sscd.data.loading.view_batch import ViewBatch
from sscd.training.beside import BesideNetwork
from sscd.training.steps.objective_config import ObjectiveConfig
from sscd.training.validated import ValidatedModule


class LoggedModule(ValidatedModule):
    """A module that logs what its steps say of themselves.

    Args:
        neighbours: As of `ValidatedModule`.

    Attributes:
        objective: Whose loss is shown on the bar.
        beside: Whose β is logged, where it is learnt.
        last_statistics: Of the last step, over all ranks; on the device.
    """

    objective: ObjectiveConfig
    beside: BesideNetwork

    def __init__(self, *, neighbours: int) -> None:
        super().__init__(neighbours=neighbours)
        self.last_statistics: dict[str, Tensor] = {}
        self._entropy_weight = 0.0  # in force in the last step

    def on_train_batch_end(self, outputs: Any, batch: ViewBatch, batch_idx: int) -> None:
        """Log the step if somebody will read it; each number costs a third of a millisecond."""
        trainer = self.trainer
        last = trainer.fit_loop.epoch_loop._is_training_done
        if last or trainer._logger_connector.should_update_logs:
            self._log_step(len(batch.views))

    def _log_step(self, count: int) -> None:
        values = self.last_statistics
        logged: dict[str, Any] = {f"train/{key}": value for key, value in values.items()}
        # Lightning would copy a plain number to the device, and wait for that.
        logged["train/entropy_weight"] = torch.full((), self._entropy_weight, device=self.device)
        if self.beside.beta is not None:
            logged["train/beta"] = self.beside.beta.detach().clone()
        self.log_dict(logged, batch_size=count)
        names = ("loss", self.objective.loss, "entropy")
        bar: dict[str, Any] = {key: values[key] for key in names}
        self.log_dict(bar, prog_bar=True, logger=False, batch_size=count)
