"""Augmented views of training pictures, by workers alone or finished on the training device."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from sscd.augment.batch import apply_photometric
from sscd.augment.mixup import MixupConfig, mix_views
from sscd.augment.photometric import pack
from sscd.augment.recipes import Recipe, ViewPlan
from sscd.augment.seeds import view_rng
from sscd.augment.tensors import to_uint8_tensor
from sscd.data.decode import EncodedImage, UnreadableImage, open_image
from sscd.data.loading.datasets import Unreadable
from sscd.data.records import Pictures
from sscd.errors import UserError

FINISHED_AT_ONCE = 512
"""Views that a device finishes at once, under 1 GB of its memory at 224 px."""
# After this many unreadable files in a row the folder, not a file, is broken.
_MAX_SUBSTITUTES = 100


class ViewBatch(NamedTuple):
    """Views of B training pictures.

    Attributes:
        views: (B, V, 3, S, S) uint8 RGB.
        contents: (B, V, C) int64, the numbers of the pictures that each view shows; `NO_PICTURE`
            where it shows fewer than C.
        unreadable: What could not be read; each such picture is replaced by one that could.
        photometric: (B, V, P) what is still to be done to the pixels (`photometric.pack`), on the
            CPU; None where the workers have done it.
        epoch: Of the data set.
    """

    views: Tensor
    contents: Tensor
    unreadable: tuple[Unreadable, ...]
    photometric: Tensor | None = None
    epoch: int = 0


@dataclass(frozen=True)
class ViewSample:
    """V views of one picture, as `ViewBatch` has them of B."""

    views: Tensor
    picture: int
    unreadable: tuple[Unreadable, ...]
    photometric: Tensor | None
    epoch: int


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
        seed: int = 0,
        finished: bool = True,
    ) -> None:
        self.images = images
        self.recipe = recipe
        self.views = views
        self.seed = seed
        self.finished = finished

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: tuple[int, int]) -> ViewSample:
        """The views (V, 3, S, S) of picture `index` in `epoch`.

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

    def plans(self, picture: tuple[int, int], *, epoch: int, name: str) -> list[ViewPlan]:
        """The plans of the views of a picture of this width and height with this id."""
        return [
            self.recipe.plan(
                picture, view_rng(seed=self.seed, epoch=epoch, image_id=name, view=view)
            )
            for view in range(self.views)
        ]

    def _sample(
        self,
        encoded: EncodedImage,
        epoch: int,
        index: int,
        unreadable: tuple[Unreadable, ...],
    ) -> ViewSample:
        plans = self.plans(encoded.size, epoch=epoch, name=self.images.id(index))
        size = self.recipe.size
        reduction = min(plan.geometry.reduction(size) for plan in plans)
        picture = encoded.load(reduce=max(1, math.floor(reduction)))
        views = [plan.geometry.apply(picture, size=size) for plan in plans]
        if self.finished:
            views = [p.photometric.apply(v) for p, v in zip(plans, views, strict=True)]
        return ViewSample(
            views=torch.stack([to_uint8_tensor(view) for view in views]),
            picture=index,
            unreadable=unreadable,
            photometric=None if self.finished else pack([plan.photometric for plan in plans]),
            epoch=epoch,
        )


def collate_views(samples: Sequence[ViewSample]) -> ViewBatch:
    """Stack training samples to a batch."""
    left = [s.photometric for s in samples if s.photometric is not None]
    pictures = torch.tensor([s.picture for s in samples])
    views = torch.stack([s.views for s in samples])
    return ViewBatch(
        views=views,
        contents=pictures[:, None, None].repeat(1, views.shape[1], 1),
        unreadable=tuple(u for s in samples for u in s.unreadable),
        photometric=torch.stack(left) if left else None,
        epoch=samples[0].epoch,
    )


def join_views(chunks: Iterable[ViewBatch], pictures: int, *, pin: bool = False) -> ViewBatch:
    """Put the chunks of a batch together, each as it comes.

    Args:
        chunks: In order, of the same epoch, with `pictures` pictures together.
        pictures: B.
        pin: Whether to put them into pinned memory, from which a GPU copies while it computes.

    Raises:
        ValueError: There are more or fewer pictures.
    """
    parts = iter(chunks)
    first = next(parts, None)
    if first is None:
        raise ValueError(f"chunks got none; expected {pictures} pictures")
    if len(first.views) == pictures and not pin:
        return first
    joined = [_room(part, pictures, pin=pin) for part in _tensors(first)]
    unreadable: list[Unreadable] = []
    filled = 0
    for chunk in itertools.chain([first], parts):
        end = filled + len(chunk.views)
        if end > pictures:
            break
        for whole, part in zip(joined, _tensors(chunk), strict=True):
            whole[filled:end] = part
        unreadable += chunk.unreadable
        filled = end
    if filled != pictures:
        raise ValueError(f"chunks got more or fewer than {pictures} pictures")
    views, contents, *photometric = joined
    return ViewBatch(
        views=views,
        contents=contents,
        unreadable=tuple(unreadable),
        photometric=photometric[0] if photometric else None,
        epoch=first.epoch,
    )


def _tensors(batch: ViewBatch) -> list[Tensor]:
    both = [batch.views, batch.contents]
    return both if batch.photometric is None else [*both, batch.photometric]


def _room(part: Tensor, rows: int, *, pin: bool) -> Tensor:
    return torch.empty((rows, *part.shape[1:]), dtype=part.dtype, pin_memory=pin)


def finish_views(batch: ViewBatch, *, mixup: MixupConfig, seed: int) -> ViewBatch:
    """Do on the views' device what the workers have left, and mix pictures.

    What is mixed follows from the seed, the epoch and the pictures of the batch.

    Args:
        batch: Views on any device; `contents` and `photometric` on the CPU.
        mixup: How often and how views are mixed.
        seed: Of the training.

    Returns:
        The batch with nothing left to do, its contents on the views' device.
    """
    views, contents = batch.views, batch.contents
    if batch.photometric is not None:
        views = _apply_photometric(views, batch.photometric)
    if mixup.probability > 0:
        name = "mixup/" + ",".join(map(str, contents[:, 0, 0].tolist()))
        rng = view_rng(seed=seed, epoch=batch.epoch, image_id=name, view=0)
        mixed = mix_views(views.flatten(0, 1), contents[..., 0].flatten(), mixup, rng)
        views = mixed.views.reshape(views.shape)
        contents = mixed.pictures.reshape(*views.shape[:2], -1)
    contents = contents.to(views.device, non_blocking=True)
    return batch._replace(views=views, contents=contents, photometric=None)


def _apply_photometric(views: Tensor, photometric: Tensor) -> Tensor:
    """Finish (B, V, 3, S, S) views some at a time, since it is done in float32."""
    rows, parameters = views.flatten(0, 1), photometric.flatten(0, 1)
    done = torch.empty_like(rows)
    for start in range(0, len(rows), FINISHED_AT_ONCE):
        some = slice(start, start + FINISHED_AT_ONCE)
        done[some] = apply_photometric(rows[some], parameters[some])
    return done.reshape(views.shape)
