"""Pictures to be described, as torch items."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from PIL import Image
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
class InferenceSample:
    """One picture of a set.

    Attributes:
        tensor: (3, H, W) uint8 RGB; None where it could not be read.
        position: Where it stands in its set.
        unreadable: Why it could not be read, if so.
    """

    tensor: Tensor | None
    position: int
    unreadable: tuple[Unreadable, ...]


def inference_sample(
    decode: Callable[[], Image.Image], position: int, *, path: str, inference: InferenceSize
) -> InferenceSample:
    """A picture resized for inference, or why it cannot be read.

    Args:
        decode: Gives the RGB picture, or raises `UnreadableImage`.
        position: Where it stands in its set.
        path: What it is called in messages.
        inference: To what size.
    """
    try:
        picture = decode()
    except UnreadableImage as error:
        return InferenceSample(None, position, (Unreadable(path, error.reason),))
    resized = resize_for_inference(picture, size=inference.size, mode=inference.mode)
    return InferenceSample(to_uint8_tensor(resized), position, ())


class InferencePictures(Dataset[InferenceSample]):
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

    def __getitem__(self, position: int) -> InferenceSample:
        """The picture (3, H, W), or why it cannot be read."""
        path = str(self.images.path(position))

        def decode() -> Image.Image:
            source = self.images.source(position)
            return load_image(source, draft=self.inference.size, name=path)

        return inference_sample(decode, position, path=path, inference=self.inference)


def collate_pictures(samples: list[InferenceSample]) -> PictureBatch:
    """Gather pictures of any sizes to a batch, without the unreadable ones."""
    read = [(s.tensor, s.position) for s in samples if s.tensor is not None]
    return PictureBatch(
        pictures=tuple(tensor for tensor, _ in read),
        positions=torch.tensor([position for _, position in read], dtype=torch.int64),
        unreadable=tuple(u for s in samples for u in s.unreadable),
    )
