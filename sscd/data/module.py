"""The Lightning data module: where pictures come from, and the loaders over them."""

from pathlib import Path
from typing import Any, Literal

from torch.utils.data import DataLoader

from sscd.augment.curriculum import CurriculumConfig
from sscd.augment.inference import InferenceSize
from sscd.augment.mixup import MixupConfig
from sscd.augment.recipes import RecipeConfig
from sscd.augment.view_kinds import GentleConfig, LocalConfig, Unedited
from sscd.data.labels import Labels, labels_of
from sscd.data.loading.datasets import InferencePictures, PictureBatch, collate_pictures
from sscd.data.loading.loader import make_loader
from sscd.data.loading.samplers import ShareSampler
from sscd.data.loading.training_part import TrainingPart
from sscd.data.names_digest import names_digest
from sscd.data.pictures.groups import PictureGroups, collate_groups
from sscd.data.records import Collection, Pictures
from sscd.data.sources import FolderConfig, Layout, ProceduralConfig, open_collection
from sscd.errors import UserError

AugmentOn = Literal["cpu", "device"]


class CopyDetectionData(TrainingPart):
    """Training views, and validation queries with their references and truth.

    Args:
        root: DISC21's directory, or a folder of photographs; null draws procedural pictures.
        layout: `auto` tells DISC21 by its directories and takes anything else for a folder.
        image_size: Side of the training views, in pixels.
        inference: How validation and exported pictures are resized.
        recipe: The augmentation of training views.
        augment_on: Where colour, blur and JPEG of the recipe happen: `cpu` in the workers, `device`
            for a whole batch where the training runs, which leaves a worker less than half.
        mixup: Contrastive mixup, cutmix, overlay and collage of training views.
        views: Views of a picture in a step.
        gentle: Another recipe for the first of these views.
        curriculum: How the recipe grows from gentle to strong.
        progression: Pairs [share of the training, side of the views in pixels] for smaller views at
            first, such as [[0, 48], [0.4, 64]]; the last side is `image_size`.
        local: Small views of small parts, beside these views.
        unedited: With `negatives` each picture comes unedited, too, as a negative of the views of
            other pictures, and nothing to those of its own.
        batch_size: Pictures in a step over all ranks.
        eval_batch_size: Pictures a rank describes at once.
        workers: Worker processes of each rank's loader; 0 loads in the training process.
        chunk: At most so many training pictures are made by a worker at once; the batch of a step
            is put together from all workers' chunks, and does not depend on it.
        seed: Of shuffling and views; set by `seed_everything`.
        cache: Where drawn pictures, edited queries and hashes are kept; null for `$XDG_CACHE_HOME`
            or `~/.cache`, in `sscd`.
        folder: How a plain folder is split and its validation queries are made.
        procedural: What is drawn where there is no root.
        max_training: Use at most this many training pictures; null for all.
        labels: A CSV file of `picture,class` lines for `model.classification`; null takes the first
            folder below the training pictures' own.
        shards: A directory or URL of shards (`sscd shard`) that the training pictures are read
            from, in place of DISC21's `train/` or of the folder's own training part.
        shard_cache_gb: What the cache may hold of shards behind a URL; null for all of them.
    """

    collection: Collection

    def __init__(
        self,
        root: Path | None = None,
        layout: Layout = "auto",
        image_size: int = 224,
        inference: InferenceSize = InferenceSize(),
        recipe: RecipeConfig = RecipeConfig(),
        augment_on: AugmentOn = "cpu",
        mixup: MixupConfig = MixupConfig(),
        views: int = 2,
        gentle: GentleConfig = GentleConfig(),
        curriculum: CurriculumConfig = CurriculumConfig(),
        progression: tuple[tuple[float, int], ...] = (),
        local: LocalConfig = LocalConfig(),
        unedited: Unedited | None = None,
        batch_size: int = 256,
        eval_batch_size: int = 64,
        workers: int = 8,
        chunk: int = 32,
        seed: int = 0,
        cache: Path | None = None,
        folder: FolderConfig = FolderConfig(),
        procedural: ProceduralConfig = ProceduralConfig(),
        max_training: int | None = None,
        labels: Path | None = None,
        shards: str | None = None,
        shard_cache_gb: float | None = None,
    ) -> None:
        super().__init__()
        if views < 2:
            raise ValueError(f"views got {views}; expected at least 2, a positive for each view")
        if batch_size < 2:
            raise ValueError(f"batch_size got {batch_size}; expected at least 2, for negatives")
        if max_training is not None and max_training < 1:
            raise ValueError(f"max_training got {max_training}; expected at least 1")
        if min(image_size, eval_batch_size, chunk) < 1 or workers < 0:
            raise ValueError(
                "image_size, eval_batch_size and chunk must be at least 1, workers at least 0"
            )
        self.root = root
        self.layout: Layout = layout
        self.image_size = image_size
        self.inference = inference
        self.recipe = recipe
        self.augment_on = augment_on
        self.mixup = mixup
        self.views = views
        self.gentle = gentle
        self.curriculum = curriculum
        self.progression = progression
        self.local = local
        self.unedited = unedited
        self.schedule().check(views=views, image_size=image_size)
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.workers = workers
        self.chunk = chunk
        self.seed = seed
        self.cache = cache
        self.folder = folder
        self.procedural = procedural
        self.max_training = max_training
        self.labels = labels
        self.shards = shards
        self.shard_cache_gb = shard_cache_gb
        self._rank, self._ranks = 0, 1
        self._identified: tuple[Pictures, str] | None = None

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
            shards=self.shards,
            shard_cache_gb=self.shard_cache_gb,
            workers=max(1, self.workers),
        )
        return opened.limit_training(self.max_training)

    @property
    def set_name(self) -> str:
        """What the data set is called: the last part of its root."""
        return "procedural" if self.root is None else self.root.resolve().name

    def training_data(self) -> dict[str, Any]:
        """What identifies the training pictures, in plain values, for the record of a training."""
        training = self.collection.training
        if self._identified is None or self._identified[0] is not training:
            self._identified = training, names_digest(training)
        return {
            "name": self.set_name,
            "pictures": len(training),
            "names_digest": self._identified[1],
        }

    def val_dataloader(self) -> list[DataLoader[PictureBatch]]:
        """This rank's share of the references, and of the queries."""
        return [
            self.pictures_loader(images)
            for images in (self.collection.references, self.collection.queries)
        ]

    def class_labels(self) -> Labels:
        """The classes of the training pictures.

        Raises:
            UserError: A picture has none, there are fewer than two, or views are mixed.
        """
        if self.mixup.mixes:
            raise UserError(
                "model.classification and data.mixup exclude one another: a mixed view has no one "
                "class; set data.mixup.probability, overlay and collage 0"
            )
        return labels_of(self.collection.training, self.labels)

    def sample_loader(self, count: int) -> DataLoader[PictureGroups]:
        """Some training pictures, the same in every training, resized for inference."""
        images = self.collection.limit_training(count).training
        return make_loader(
            InferencePictures(images, self.inference),
            collate_groups,
            workers=self.workers,
            batch_size=self.eval_batch_size,
        )

    def pictures_loader(self, images: Pictures) -> DataLoader[PictureBatch]:
        """This rank's share of some pictures, resized for inference."""
        dataset = InferencePictures(images, self.inference)
        sampler = ShareSampler(len(images), rank=self._rank, ranks=self._ranks)
        return make_loader(
            dataset,
            collate_pictures,
            workers=self.workers,
            sampler=sampler,
            batch_size=self.eval_batch_size,
        )
