"""Pictures that cannot be read during training and validation."""

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import distributed

from sscd.data.loading.datasets import Unreadable
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.terminal import warn


class UnreadablePictures(Callback):
    """Counts pictures that cannot be read: one warning an epoch, all of them in `skipped.txt`.

    Args:
        run_dir: Where `skipped.txt` goes.
    """

    def __init__(self, run_dir: Path) -> None:
        self.path = run_dir / "skipped.txt"
        self.skipped = SkipLog()
        self._found: list[Unreadable] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with what was found broken when the data set was opened."""
        collection = trainer.datamodule.collection  # type: ignore[attr-defined]
        self._found = [Unreadable(str(path), reason) for path, reason in collection.unreadable]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note what a training batch left out."""
        self._found.extend(batch.unreadable)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Note what a validation batch left out."""
        self._found.extend(batch.unreadable)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gather over ranks, write and warn."""
        found: list[list[Unreadable]] = [self._found]
        if distributed.is_initialized():
            found = [[] for _ in range(trainer.world_size)]
            distributed.all_gather_object(found, self._found)
        self._found = []
        if not trainer.is_global_zero:
            return
        known = len(self.skipped)
        for item in (item for part in found for item in part):
            self.skipped.add(item.path, item.reason)
        if len(self.skipped) > known:
            try:
                self.skipped.write(self.path)
            except UserError as error:  # a list of pictures is not worth the run
                warn(error)
            warn(self.skipped.summary(file=str(self.path)))
