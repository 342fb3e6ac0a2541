"""Augmented views of training pictures, by workers alone or finished on the training device."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sscd.augment.epoch_views import EpochViews, PlannedView
from sscd.augment.photometric import pack
from sscd.augment.recipes import Recipe
from sscd.augment.schedule import ViewSchedule
from sscd.augment.seeds import view_rng
from sscd.augment.tensors import to_uint8_tensor
from sscd.data.decode import EncodedImage, UnreadableImage, open_image
from sscd.data.loading.datasets import Unreadable
from sscd.data.loading.other_pictures import OtherPictures
from sscd.data.loading.view_batch import ViewBatch
from sscd.data.records import Pictures
from sscd.errors import UserError

# After this many unreadable files in a row the folder, not a file, is broken.
_MAX_SUBSTITUTES = 100


@dataclass(frozen=True)
class ViewSample:
    """The views of one picture, as `ViewBatch` has them of B."""

    views: Tensor
    picture: int
    unreadable: tuple[Unreadable, ...]
    photometric: Tensor | None
    epoch: int
    local: Tensor | None = None
    unedited: Tensor | None = None


class TrainingViews(Dataset[ViewSample]):
    """V augmented views of each training picture, which is decoded once.

    Every view depends on (seed, epoch, picture id, view) alone. Items are asked for as
    (epoch, index), since workers that outlive an epoch would not hear of the next one. The views
    are planned from the picture's size, so that JPEGs are decoded at the smallest scale that still
    covers every crop.

    Args:
        images: The training pictures.
        recipe: How views are made.
        views: V, views of a picture.
        schedule: What there is beside them, and what changes from epoch to epoch.
        seed: Of the training.
        finished: Whether the workers do everything; else colour, blur and JPEG are left to
            `finish_views`.
    """

    def __init__(
        self,
        images: Pictures,
        recipe: Recipe,
        *,
        views: int = 2,
        schedule: ViewSchedule = ViewSchedule(),
        seed: int = 0,
        finished: bool = True,
    ) -> None:
        self.images = images
        self.recipe = recipe
        self.views = views
        self.schedule = schedule
        self._made: tuple[int, EpochViews] | None = None
        self.seed = seed
        self.finished = finished
        gentle = schedule.gentle
        editing = [recipe.config, *([gentle.recipe] if gentle.views else [])]
        counts = [one.edits.others for one in editing if one.name == "edits"]
        count = max(counts, default=recipe.config.edits.others)
        self.others = OtherPictures(images, count=count, side=recipe.size, seed=seed)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: tuple[int, int]) -> ViewSample:
        """The views of picture `index` in `epoch`.

        Raises:
            UserError: Neither the picture nor any of the next hundred can be read.
        """
        epoch, first = key
        unreadable: list[Unreadable] = []
        for step in range(min(_MAX_SUBSTITUTES, len(self.images))):
            index = (first + step) % len(self.images)
            try:
                source = self.images.source(index)
                with open_image(source, name=str(self.images.path(index))) as encoded:
                    return self._sample(encoded, epoch, index, tuple(unreadable))
            except UnreadableImage as error:
                unreadable.append(Unreadable(str(error.path), error.reason))
        raise UserError(
            f"{unreadable[0].path} and the {len(unreadable) - 1} pictures after it cannot be read "
            f"({unreadable[0].reason}); check that the data set is complete and its disk is there"
        )

    def of_epoch(self, epoch: int) -> EpochViews:
        """Who draws the views of an epoch."""
        if self._made is None or self._made[0] != epoch:
            self._made = epoch, self.schedule.at(epoch, self.recipe, views=self.views)
        return self._made[1]

    def plans(self, picture: tuple[int, int], *, epoch: int, name: str) -> list[PlannedView]:
        """The views of a picture of this width and height with this id, in the order of rows."""
        stream = functools.partial(_stream, seed=self.seed, epoch=epoch, name=name)
        return self.of_epoch(epoch).plans(picture, stream)

    def _sample(
        self,
        encoded: EncodedImage,
        epoch: int,
        index: int,
        unreadable: tuple[Unreadable, ...],
    ) -> ViewSample:
        plans = self.plans(encoded.size, epoch=epoch, name=self.images.id(index))
        reduction = min(plan.reduction for plan in plans)
        picture = encoded.load(reduce=max(1, math.floor(reduction)))
        others = self.others.of(epoch)
        views = [p.apply(picture, others=others, finished=self.finished) for p in plans]
        tensors = [to_uint8_tensor(view) for view in views]
        first, local, unedited = self.of_epoch(epoch).counts
        return ViewSample(
            views=torch.stack(tensors[:first]),
            picture=index,
            unreadable=unreadable,
            photometric=None if self.finished else pack([p.plan.photometric for p in plans]),
            epoch=epoch,
            local=torch.stack(tensors[first : first + local]) if local else None,
            unedited=torch.stack(tensors[first + local :]) if unedited else None,
        )


def _stream(view: int, *, seed: int, epoch: int, name: str) -> np.random.Generator:
    return view_rng(seed=seed, epoch=epoch, image_id=name, view=view)


def collate_views(samples: Sequence[ViewSample]) -> ViewBatch:
    """Stack training samples to a batch."""
    pictures = torch.tensor([s.picture for s in samples])
    views = torch.stack([s.views for s in samples])
    local, unedited = _stacked([s.local for s in samples]), _stacked([s.unedited for s in samples])
    rows = sum(part.shape[1] for part in (views, local, unedited) if part is not None)
    return ViewBatch(
        views=views,
        contents=pictures[:, None, None].repeat(1, rows, 1),
        unreadable=tuple(u for s in samples for u in s.unreadable),
        photometric=_stacked([s.photometric for s in samples]),
        epoch=samples[0].epoch,
        local=local,
        unedited=unedited,
    )


def _stacked(parts: list[Tensor | None]) -> Tensor | None:
    """What each sample has, as one; None where they have none."""
    there = [part for part in parts if part is not None]
    return torch.stack(there) if there else None
