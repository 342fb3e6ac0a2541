"""An attacked picture to a file, and what is measured of that file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from sscd.attacks.psnr import psnr
from sscd.attacks.ssim import ssim
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import resize_for_inference, to_uint8_tensor
from sscd.data.decode import load_image
from sscd.files import atomic_path
from sscd.models.descriptor import DescriptorNet

PictureFormat = Literal["png", "jpeg"]

SUFFIXES: dict[PictureFormat, str] = {"png": ".png", "jpeg": ".jpg"}


@dataclass(frozen=True)
class Measured:
    """A saved picture beside its source.

    Attributes:
        psnr: In dB; None where both are equal.
        ssim: Mean structural similarity.
        cosine: Of their descriptors.
    """

    psnr: float | None
    ssim: float
    cosine: float


def save_picture(
    picture: Tensor,
    path: Path,
    *,
    format: PictureFormat,  # noqa: A002
    quality: int,
) -> Image.Image:
    """Write a picture, and read it back as every other command will.

    Args:
        picture: (3, H, W) uint8, on the CPU.
        path: The file.
        format: `png` keeps every pixel, `jpeg` does not.
        quality: Of JPEG, 1 to 100.

    Raises:
        UserError: It cannot be written.
    """
    image = Image.fromarray(picture.permute(1, 2, 0).numpy())
    encoded = io.BytesIO()
    if format == "png":
        image.save(encoded, "PNG")
    else:
        image.save(encoded, "JPEG", quality=quality)
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.getvalue())
    return load_image(path)


def measure(
    saved: Sequence[Image.Image],
    sources: Sequence[Image.Image],
    *,
    network: DescriptorNet,
    inference: InferenceSize,
    device: torch.device,
) -> list[Measured]:
    """Compare saved pictures with their sources.

    Args:
        saved: RGB pictures.
        sources: Of the same sizes.
        network: In evaluation mode, on `device`; what was attacked.
        inference: How its pictures are resized.
        device: Where it runs.
    """
    measured = []
    for one, other in zip(saved, sources, strict=True):
        tensors = [to_uint8_tensor(image)[None].to(device) for image in (one, other)]
        with torch.inference_mode():
            resized = [
                resize_for_inference(image, size=inference.size, mode=inference.mode)
                for image in (one, other)
            ]
            pair = torch.stack([to_uint8_tensor(image) for image in resized])
            first, second = network(pair.to(device))
            decibels = float(psnr(*tensors))
            measured.append(
                Measured(
                    psnr=decibels if decibels < float("inf") else None,
                    ssim=float(ssim(*tensors)),
                    cosine=float(first @ second),
                )
            )
    return measured
