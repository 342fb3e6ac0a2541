"""Pictures that a program hands over: paths, bytes, opened pictures and arrays, in any mixture."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from sscd.augment.inference import InferenceSize
from sscd.data.decode import load_image, upright_rgb
from sscd.data.loading.datasets import InferenceSample, inference_sample
from sscd.errors import UserError

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A file by its path, the bytes of one, an opened picture, or pixels (H, W, 3) or (H, W)."""


class GivenPictures(Dataset[InferenceSample]):
    """Pictures of a list, resized for inference.

    Args:
        pictures: As `listed` gives them.
        inference: To what size.
    """

    def __init__(self, pictures: Sequence[Picture], inference: InferenceSize) -> None:
        self.pictures = pictures
        self.inference = inference

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, position: int) -> InferenceSample:
        name, decode = _decoder(self.pictures[position], position, draft=self.inference.size)
        return inference_sample(decode, position, path=name, inference=self.inference)


def _decoder(
    picture: Picture, position: int, *, draft: int
) -> tuple[str, Callable[[], Image.Image]]:
    """What a picture is called in messages, and what decodes it."""
    name = f"picture {position}"
    if isinstance(picture, bytes):
        return name, lambda: load_image(picture, draft=draft, name=name)
    if isinstance(picture, Image.Image):
        return name, lambda: upright_rgb(picture, name=name)
    if isinstance(picture, np.ndarray):
        return name, lambda: upright_rgb(Image.fromarray(picture), name=name)
    path = Path(picture)
    return str(path), lambda: load_image(path, draft=draft)


def listed(given: Picture | Iterable[Picture]) -> list[Picture]:
    """Pictures one by one, each of a kind that can be described.

    Args:
        given: One picture, or several. An array (n, H, W, 3) is n pictures.

    Raises:
        UserError: A path is a directory.
        TypeError: Something is no picture.
        ValueError: An array has another shape or type.
    """
    alone = isinstance(given, str | os.PathLike | bytes | bytearray | Image.Image)
    # An open file would give its lines.
    alone = alone or not isinstance(given, Iterable) or hasattr(given, "read")
    if isinstance(given, np.ndarray):
        alone = given.ndim != 4
    pictures: list[Picture] = [given] if alone else list(given)  # type: ignore[list-item, arg-type]
    for position, picture in enumerate(pictures):
        _check_kind(picture, position)
    return pictures


def _check_kind(picture: Picture, position: int) -> None:
    if isinstance(picture, np.ndarray):
        pixels = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
        if picture.dtype != np.uint8 or not pixels or not picture.size:
            raise ValueError(
                f"picture {position} is an array {picture.shape} of {picture.dtype}; expected "
                "uint8 (H, W, 3) or (H, W)"
            )
    elif isinstance(picture, str | os.PathLike):
        if Path(picture).is_dir():
            raise UserError(
                f"{picture} is a directory; list its pictures, or describe it by `sscd describe`"
            )
    elif not isinstance(picture, bytes | Image.Image):
        hint = "; give what its read() returns" if hasattr(picture, "read") else ""
        raise TypeError(
            f"picture {position} is a {type(picture).__name__}; expected a path, bytes, a PIL "
            f"picture or a uint8 array{hint}"
        )
