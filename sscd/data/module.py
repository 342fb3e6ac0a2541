"""The Lightning data module: where pictures come from, and the loaders over them."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader

from sscd.augment.inference import InferenceSize
from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.data.datasets import (
    InferencePictures,
    PictureBatch,
    TrainingViews,
    ViewBatch,
    collate_pictures,
    collate_views,
)
from sscd.data.loader import make_loader
from sscd.data.records import Collection, ImageSet
from sscd.data.samplers import EpochSampler, ShareSampler
from sscd.data.sources import FolderConfig, Layout, ProceduralConfig, open_collection
from sscd.errors import UserError


class CopyDetectionData(LightningDataModule):
    """Training views, and validation queries with their references and truth.

    Args:
        root: DISC21's directory, or a folder of photographs; null draws procedural pictures.
        layout: `auto` tells DISC21 by its directories and takes anything else for a folder.
        image_size: Side of the training views, in pixels.
        inference: How validation and exported pictures are resized.
        recipe: The augmentation of training views.
        views: Views of a picture in a step.
        batch_size: Pictures in a step over all ranks.
        eval_batch_size: Pictures a rank describes at once.
        workers: Worker processes of each rank's loader; 0 loads in the training process.
        seed: Of shuffling and views; set by `seed_everything`.
        cache: Where drawn pictures, edited queries and hashes are kept; null for `$XDG_CACHE_HOME`
            or `~/.cache`, in `sscd`.
        folder: How a plain folder is split and its validation queries are made.
        procedural: What is drawn where there is no root.
        max_training: Use at most this many training pictures; null for all.
    """

    collection: Collection

    def __init__(
        self,
        root: Path | None = None,
        layout: Layout = "auto",
        image_size: int = 224,
        inference: InferenceSize = InferenceSize(),
        recipe: RecipeConfig = RecipeConfig(),
        views: int = 2,
        batch_size: int = 256,
        eval_batch_size: int = 64,
        workers: int = 8,
        seed: int = 0,
        cache: Path | None = None,
        folder: FolderConfig = FolderConfig(),
        procedural: ProceduralConfig = ProceduralConfig(),
        max_training: int | None = None,
    ) -> None:
        super().__init__()
        if views < 2:
            raise ValueError(f"views got {views}; expected at least 2, a positive for each view")
        if batch_size < 2:
            raise ValueError(f"batch_size got {batch_size}; expected at least 2, for negatives")
        if max_training is not None and max_training < 1:
            raise ValueError(f"max_training got {max_training}; expected at least 1")
        if min(image_size, eval_batch_size) < 1 or workers < 0:
            raise ValueError(
                "image_size and eval_batch_size must be at least 1, workers at least 0"
            )
        self.root = root
        self.layout: Layout = layout
        self.image_size = image_size
        self.inference = inference
        self.recipe = recipe
        self.views = views
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.workers = workers
        self.seed = seed
        self.cache = cache
        self.folder = folder
        self.procedural = procedural
        self.max_training = max_training
        self._rank, self._ranks = 0, 1

    def prepare_data(self) -> None:
        """Draw, hash and edit what is not in the cache yet; runs in one process of each node."""
        self.collection = self._open()

    def setup(self, stage: str) -> None:
        """Open the collection and learn this process's place among the ranks.

        Raises:
            UserError: The data set is missing or broken, or smaller than a batch.
        """
        if self.trainer is not None:
            self._rank, self._ranks = self.trainer.global_rank, self.trainer.world_size
        if not hasattr(self, "collection"):
            self.collection = self._open()
        if not self.collection.truth.pairs:
            raise UserError(
                f"{self.root}: the ground truth names no copy, so there is nothing to validate by; "
                "check that it is the right file"
            )
        if stage != "fit":
            return
        if self.batch_size % self._ranks:
            raise UserError(
                f"data.batch_size {self.batch_size} does not divide by {self._ranks} ranks; "
                f"give a multiple of {self._ranks}"
            )
        count = len(self.collection.training)
        if count < self.batch_size:
            raise UserError(
                f"{self.root or 'the procedural set'} gives {count} training pictures, less than "
                f"data.batch_size {self.batch_size}; lower it or add pictures"
            )

    def _open(self) -> Collection:
        opened = open_collection(
            self.root,
            layout=self.layout,
            cache=self.cache,
            folder=self.folder,
            procedural=self.procedural,
            workers=max(1, self.workers),
        )
        return opened.limit_training(self.max_training)

    def train_dataloader(self) -> DataLoader[ViewBatch]:
        """Shuffled views of this rank's share of the training pictures."""
        images = self.collection.training
        dataset = TrainingViews(
            images,
            Recipe(self.recipe, size=self.image_size),
            views=self.views,
            seed=self.seed,
            draft=self._draft(),
        )
        sampler = EpochSampler(len(images), seed=self.seed, rank=self._rank, ranks=self._ranks)
        return self._loader(
            dataset,
            collate_views,
            sampler=sampler,
            batch_size=self.batch_size // self._ranks,
            drop_last=True,
        )

    def val_dataloader(self) -> list[DataLoader[PictureBatch]]:
        """This rank's share of the references, and of the queries."""
        return [
            self.pictures_loader(images)
            for images in (self.collection.references, self.collection.queries)
        ]

    def pictures_loader(self, images: ImageSet) -> DataLoader[PictureBatch]:
        """This rank's share of some pictures, resized for inference."""
        dataset = InferencePictures(images, self.inference)
        sampler = ShareSampler(len(images), rank=self._rank, ranks=self._ranks)
        return self._loader(
            dataset, collate_pictures, sampler=sampler, batch_size=self.eval_batch_size
        )

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Move views at once; pictures of mixed sizes travel in groups, when they are stacked."""
        if isinstance(batch, PictureBatch):
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def _draft(self) -> int:
        # A crop of the smallest area, enlarged to the view, should not be blurred by the decoder.
        return round(self.image_size / math.sqrt(self.recipe.crop_scale[0]))

    def _loader(self, dataset: Any, collate: Callable[..., Any], **options: Any) -> DataLoader[Any]:
        return make_loader(dataset, collate, workers=self.workers, **options)
