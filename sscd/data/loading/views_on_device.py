"""The half of a data module that works on the training device."""

from typing import Any

import torch
from lightning import LightningDataModule

from sscd.augment.mixup import MixupConfig
from sscd.data.loading.finishing import finish_views
from sscd.data.loading.view_batch import ViewBatch


class ViewsOnDevice(LightningDataModule):
    """A data module whose training views are finished where the training runs.

    Attributes:
        mixup: How views are mixed there.
        seed: Of the training.
    """

    mixup: MixupConfig
    seed: int

    def transfer_batch_to_device(
        self,
        batch: Any,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002
    ) -> Any:
        """Move views that are not there yet; what says how to go on stays on the CPU.

        There it is read without waiting. On a GPU the loader has moved the views already.

        Pictures of mixed sizes travel in groups, when they are stacked.
        """
        if isinstance(batch, ViewBatch):
            return batch.to(device)
        return batch

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:  # noqa: ARG002
        """Finish the views on the device, in the order of its other work.

        A stream of its own would not make it faster, since the network leaves nothing of a GPU
        idle, and its memory could not be that which the network uses later in the step.
        """
        if isinstance(batch, ViewBatch):
            return finish_views(batch, mixup=self.mixup, seed=self.seed)
        return batch
