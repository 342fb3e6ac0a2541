"""The start of a training: from weights that are there, and with batch norm frozen or not."""

from typing import Self

from lightning import LightningModule
from lightning.pytorch.utilities import rank_zero_only

from sscd.models.descriptor import DescriptorNet
from sscd.models.starting import start_from
from sscd.terminal import warn
from sscd.training.batch_norm import freeze_batch_norm


class StartedModule(LightningModule):
    """A module whose network starts from random weights, or from those that are configured.

    Attributes:
        network: What is trained; new.
        weights: Where the training starts, as `sscd.models.starting.start_from` takes it.
        freeze_batch_norm: Whether the running statistics of those weights stay as they are, and
            serve in training too.
    """

    network: DescriptorNet
    weights: str | None = None
    freeze_batch_norm: bool = False
    _started: bool = False

    def start(self) -> None:
        """Take the configured weights in the place of random ones, once.

        Raises:
            UserError: They cannot be had, or do not fit.
        """
        if self.weights and not self._started:
            if note := start_from(self.network, self.weights):
                rank_zero_only(warn)(note)
            self._started = True

    def on_fit_start(self) -> None:
        """Take the configured weights; a resumed training has its own, and needs no file."""
        if not self.trainer.ckpt_path:  # Lightning has loaded what is there
            self.start()

    def train(self, mode: bool = True) -> Self:
        """Set the mode of training or evaluation; frozen batch norm stays in that of evaluation."""
        super().train(mode)
        if self.freeze_batch_norm:
            freeze_batch_norm(self.network)
        return self
