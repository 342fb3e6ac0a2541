"""Torch data sets: views of training pictures, and pictures to be described."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor
from torch.utils.data import Dataset

from sscd.augment.inference import InferenceSize
from sscd.augment.seeds import view_rng
from sscd.augment.tensors import resize_for_inference, to_uint8_tensor
from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import ImageSet
from sscd.errors import UserError

ViewMaker = Callable[[Image, np.random.Generator], Image]

# After this many unreadable files in a row the folder, not a file, is broken.
_MAX_SUBSTITUTES = 100


class Unreadable(NamedTuple):
    """A picture that could not be decoded, and why."""

    path: str
    reason: str


class ViewBatch(NamedTuple):
    """Views of B training pictures.

    Attributes:
        views: (B, V, 3, S, S) uint8 RGB.
        pictures: (B,) int64, the number of each picture in its set.
        unreadable: What could not be read; each such picture is replaced by one that could.
    """

    views: Tensor
    pictures: Tensor
    unreadable: tuple[Unreadable, ...]


class PictureBatch(NamedTuple):
    """Pictures to be described, whose sizes may differ.

    Attributes:
        pictures: Tensors (3, H, W) uint8 RGB.
        positions: (B,) int64, where each stands in its set.
        unreadable: What could not be read, and is not among `pictures`.
    """

    pictures: tuple[Tensor, ...]
    positions: Tensor
    unreadable: tuple[Unreadable, ...]


@dataclass(frozen=True)
class _Sample:
    tensor: Tensor | None
    position: int
    unreadable: tuple[Unreadable, ...]


class TrainingViews(Dataset[_Sample]):
    """V augmented views of each training picture, which is decoded once.

    Every view depends on (seed, epoch, picture id, view) alone. Items are asked for as
    (epoch, index), since workers that outlive an epoch would not hear of the next one.

    Args:
        images: The training pictures.
        make_view: Picture and random generator → view.
        views: V, views of a picture.
        seed: Of the training.
        draft: Decode JPEGs at a reduced scale whose short side is at least this, in pixels.
    """

    def __init__(
        self,
        images: ImageSet,
        make_view: ViewMaker,
        *,
        views: int = 2,
        seed: int = 0,
        draft: int | None = None,
    ) -> None:
        self.images = images
        self.make_view = make_view
        self.views = views
        self.seed = seed
        self.draft = draft

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: tuple[int, int]) -> _Sample:
        """The views (V, 3, S, S) of picture `index` in `epoch`.

        Raises:
            UserError: Neither the picture nor any of the next hundred can be read.
        """
        epoch, first = key
        unreadable: list[Unreadable] = []
        for step in range(min(_MAX_SUBSTITUTES, len(self.images))):
            index = (first + step) % len(self.images)
            path = self.images.path(index)
            try:
                picture = load_image(path, draft=self.draft)
            except UnreadableImage as error:
                unreadable.append(Unreadable(str(path), error.reason))
                continue
            name = self.images.id(index)
            views = [
                to_uint8_tensor(
                    self.make_view(
                        picture, view_rng(seed=self.seed, epoch=epoch, image_id=name, view=view)
                    )
                )
                for view in range(self.views)
            ]
            return _Sample(torch.stack(views), index, tuple(unreadable))
        raise UserError(
            f"{unreadable[0].path} and the {len(unreadable) - 1} pictures after it cannot be read "
            f"({unreadable[0].reason}); check that the data set is complete and its disk is there"
        )


class InferencePictures(Dataset[_Sample]):
    """Pictures resized for inference.

    Args:
        images: What to describe.
        inference: To what size.
    """

    def __init__(self, images: ImageSet, inference: InferenceSize) -> None:
        self.images = images
        self.inference = inference

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> _Sample:
        """The picture (3, H, W), or why it cannot be read."""
        path = self.images.path(position)
        try:
            picture = load_image(path, draft=self.inference.size)
        except UnreadableImage as error:
            return _Sample(None, position, (Unreadable(str(path), error.reason),))
        resized = resize_for_inference(picture, size=self.inference.size, mode=self.inference.mode)
        return _Sample(to_uint8_tensor(resized), position, ())


def collate_views(samples: list[_Sample]) -> ViewBatch:
    """Stack training samples to a batch."""
    return ViewBatch(
        views=torch.stack([s.tensor for s in samples if s.tensor is not None]),
        pictures=torch.tensor([s.position for s in samples]),
        unreadable=tuple(u for s in samples for u in s.unreadable),
    )


def collate_pictures(samples: list[_Sample]) -> PictureBatch:
    """Gather pictures of any sizes to a batch, without the unreadable ones."""
    read = [(s.tensor, s.position) for s in samples if s.tensor is not None]
    return PictureBatch(
        pictures=tuple(tensor for tensor, _ in read),
        positions=torch.tensor([position for _, position in read], dtype=torch.int64),
        unreadable=tuple(u for s in samples for u in s.unreadable),
    )
