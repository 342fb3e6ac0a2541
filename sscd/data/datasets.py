"""Pictures to be described, as torch items."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import resize_for_inference, to_uint8_tensor
from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import Pictures


class Unreadable(NamedTuple):
    """A picture that could not be decoded, and why."""

    path: str
    reason: str


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


class InferencePictures(Dataset[_Sample]):
    """Pictures resized for inference.

    Args:
        images: What to describe.
        inference: To what size.
    """

    def __init__(self, images: Pictures, inference: InferenceSize) -> None:
        self.images = images
        self.inference = inference

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> _Sample:
        """The picture (3, H, W), or why it cannot be read."""
        path = str(self.images.path(position))
        try:
            source = self.images.source(position)
            picture = load_image(source, draft=self.inference.size, name=path)
        except UnreadableImage as error:
            return _Sample(None, position, (Unreadable(path, error.reason),))
        resized = resize_for_inference(picture, size=self.inference.size, mode=self.inference.mode)
        return _Sample(to_uint8_tensor(resized), position, ())


def collate_pictures(samples: list[_Sample]) -> PictureBatch:
    """Gather pictures of any sizes to a batch, without the unreadable ones."""
    read = [(s.tensor, s.position) for s in samples if s.tensor is not None]
    return PictureBatch(
        pictures=tuple(tensor for tensor, _ in read),
        positions=torch.tensor([position for _, position in read], dtype=torch.int64),
        unreadable=tuple(u for s in samples for u in s.unreadable),
    )
