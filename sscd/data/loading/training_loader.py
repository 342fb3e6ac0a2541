"""The loader of training views, as the data module has it."""

import functools
import warnings

import torch

from sscd.data.loading.loader import shared_memory_warning
from sscd.data.loading.samplers import EpochSampler
from sscd.data.loading.step_loader import StepLoader
from sscd.data.loading.training_views import TrainingViews, collate_views
from sscd.data.loading.view_batch import join_views
from sscd.data.shards.pictures import ShardedPictures


def training_loader(
    dataset: TrainingViews,
    *,
    seed: int,
    rank: int,
    ranks: int,
    batch_size: int,
    chunk: int,
    workers: int,
    device: torch.device,
) -> StepLoader:
    """Shuffled views of a rank's share of the training pictures.

    It warns where shared memory is too small for what the workers may have ready.

    Args:
        dataset: The views.
        seed: Of the shuffling.
        rank: This process's number.
        ranks: How many processes there are.
        batch_size: Pictures of a step of this rank.
        chunk: At most so many pictures are made by a worker at once.
        workers: Worker processes of this rank; 0 loads in this process.
        device: Where the training is.
    """
    images = dataset.images
    sampler = EpochSampler(
        len(images),
        seed=seed,
        rank=rank,
        ranks=ranks,
        shards=images.shards if isinstance(images, ShardedPictures) else None,
    )
    loader = StepLoader(
        dataset,
        collate_views,
        functools.partial(join_views, pin=device.type == "cuda"),
        sampler=sampler,
        batch_size=batch_size,
        chunk=chunk,
        workers=workers,
        device=device,
    )
    picture = 3 * dataset.schedule.largest(dataset.recipe, views=dataset.views).pixels
    if line := shared_memory_warning(loader.pictures_ahead * picture):
        warnings.warn(line, stacklevel=2)
    return loader
