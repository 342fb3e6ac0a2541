"""The half of a data module that makes training views: how they are drawn, and their loader."""

import math

import torch
from lightning import Trainer

from sscd.augment.curriculum import CurriculumConfig
from sscd.augment.progression import Progression
from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.augment.schedule import ViewSchedule
from sscd.augment.view_kinds import GentleConfig, LocalConfig, Unedited
from sscd.data.loading.step_loader import StepLoader
from sscd.data.loading.training_loader import training_loader
from sscd.data.loading.training_views import TrainingViews
from sscd.data.loading.views_on_device import ViewsOnDevice
from sscd.data.records import Collection
from sscd.errors import UserError


class TrainingPart(ViewsOnDevice):
    """A data module's training views. What it holds is told by `sscd.data.module`."""

    collection: Collection
    image_size: int
    recipe: RecipeConfig
    augment_on: str
    views: int
    gentle: GentleConfig
    curriculum: CurriculumConfig
    progression: Progression
    local: LocalConfig
    unedited: Unedited | None
    batch_size: int
    chunk: int
    workers: int
    _rank: int
    _ranks: int

    def schedule(self, epochs: float | None = None) -> ViewSchedule:
        """What there is besides views by one recipe, in a training of so many epochs."""
        return ViewSchedule(
            self.gentle,
            self.curriculum,
            self.progression,
            self.local,
            self.unedited,
            epochs=epochs,
        )

    def training_views(self, epochs: float | None = None) -> TrainingViews:
        """The views of all training pictures, shared out and shuffled by the loader's sampler.

        Args:
            epochs: Of the whole training, where views change over it.
        """
        return TrainingViews(
            self.collection.training,
            Recipe(self.recipe, size=self.image_size),
            views=self.views,
            schedule=self.schedule(epochs),
            seed=self.seed,
            finished=self.augment_on == "cpu",
        )

    def train_dataloader(self) -> StepLoader:
        """Shuffled views of this rank's share of the training pictures.

        Raises:
            UserError: Views change over the training, and it has no end.
        """
        batches = len(self.collection.training) // self.batch_size
        epochs = None if self.trainer is None else epochs_of(self.trainer, batches)
        if epochs is None and self.schedule().changes:
            raise UserError(
                "data.curriculum and data.progression need a training with an end; give "
                "trainer.max_epochs or trainer.max_steps"
            )
        return training_loader(
            self.training_views(epochs),
            seed=self.seed,
            rank=self._rank,
            ranks=self._ranks,
            batch_size=self.batch_size // self._ranks,
            chunk=self.chunk,
            workers=self.workers,
            device=self._device(),
        )

    def _device(self) -> torch.device:
        return torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device


def epochs_of(trainer: Trainer, batches: int) -> float | None:
    """How many epochs a training has, by its epochs or by its steps; None where neither bounds it.

    Args:
        trainer: Whose.
        batches: Of a whole epoch; the trainer may take fewer.
    """
    bounds: list[float] = []
    if trainer.max_epochs is not None and trainer.max_epochs >= 0:
        bounds.append(trainer.max_epochs)
    limit = trainer.limit_train_batches
    taken = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    if trainer.max_steps >= 0 and taken:
        # The last batch of an epoch makes a step, however few were added up.
        bounds.append(trainer.max_steps / math.ceil(taken / trainer.accumulate_grad_batches))
    return min(bounds, default=None)
