"""The start of a training: from weights that are there, batch norm frozen or not, a fitted head."""

from typing import Self

import torch
from lightning import LightningModule
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from sscd.data.module import CopyDetectionData
from sscd.models.descriptor import DescriptorNet
from sscd.models.starting import start_from
from sscd.terminal import tracked, warn
from sscd.training.batch_norm import freeze_batch_norm
from sscd.training.ranks.gather_to_first import answer_of_first
from sscd.training.whitened_head import WhiteningConfig, fitted_head


class StartedModule(LightningModule):
    """A module whose network starts from random weights, or from those that are configured.

    Attributes:
        network: What is trained; new.
        weights: Where the training starts, as `sscd.models.starting.start_from` takes it.
        freeze_batch_norm: Whether the running statistics of those weights stay as they are, and
            serve in training too.
        whitening: How a head that is not trained is fitted first.
    """

    network: DescriptorNet
    weights: str | None = None
    freeze_batch_norm: bool = False
    whitening: WhiteningConfig = WhiteningConfig()
    _started: bool = False
    _head_given: bool = False

    def start(self) -> None:
        """Take the configured weights in the place of random ones, once.

        Raises:
            UserError: They cannot be had, or do not fit.
        """
        if self.weights and not self._started:
            before = [parameter.detach().clone() for parameter in self.network.head.parameters()]
            note = start_from(self.network, self.weights)
            # It speaks of the head, which may be fitted yet.
            if note and not self.whitening.whitens(self.network):
                rank_zero_only(warn)(note)
            after = self.network.head.parameters()
            self._head_given = not all(map(torch.equal, before, after))
            self._started = True

    def on_fit_start(self) -> None:
        """Take the configured weights; a resumed training has its own, and needs no file."""
        if self.trainer.ckpt_path:  # Lightning has loaded what is there
            return
        self.start()
        if self.whitening.whitens(self.network) and not self._head_given:
            self._fit_head()

    def _fit_head(self) -> None:
        """Fit the head on training pictures, on rank 0, and let all ranks have it."""
        data: CopyDetectionData = self.trainer.datamodule  # type: ignore[attr-defined]
        pictures = min(self.whitening.pictures, len(data.collection.training))

        def fit() -> tuple[Tensor, Tensor]:
            loader = data.sample_loader(pictures)
            batches = tracked(loader, "whitening the head", unit="batches")
            share = max(1, self.whitening.activations // pictures)
            return fitted_head(self.network, batches, share=share)

        weight, bias = answer_of_first(fit)
        with torch.no_grad():
            self.network.head.weight.copy_(weight)
            self.network.head.bias.copy_(bias)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of training or evaluation; frozen batch norm stays in that of evaluation."""
        super().train(mode)
        if self.freeze_batch_norm:
            freeze_batch_norm(self.network)
        return self
