from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from sscd.augment.tensors import (
    MAX_ASPECT_RATIO,
    ResizeMode,
    resize_for_inference,
    to_uint8_tensor,
)


def test_tensor_holds_the_pixels_and_owns_its_memory() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    tensor = to_uint8_tensor(image)
    assert (tensor.dtype, tuple(tensor.shape)) == (torch.uint8, (3, 5, 7))
    assert tensor.is_contiguous()
    assert np.array_equal(tensor.numpy().transpose(1, 2, 0), pixels)
    tensor.zero_()
    assert np.array_equal(np.asarray(image), pixels)
    with pytest.raises(ValueError, match="expected RGB"):
        to_uint8_tensor(Image.new("L", (3, 3)))


@pytest.mark.parametrize(
    ("mode", "size", "shape", "expected"),
    [
        ("square", 288, (400, 300), (288, 288)),
        ("short_side", 288, (400, 300), (384, 288)),
        ("short_side", 288, (300, 400), (288, 384)),
        ("short_side", 288, (100, 100), (288, 288)),
        ("short_side", 64, (161, 120), (85, 64)),
        ("short_side", 10, (10_000, 1), (10 * MAX_ASPECT_RATIO, 10)),
        ("long_side", 200, (400, 300), (200, 150)),
        ("long_side", 200, (3, 4000), (1, 200)),
        ("long_side", 500, (400, 300), (400, 300)),
    ],
)
def test_sizes(
    mode: ResizeMode, size: int, shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert resize_for_inference(Image.new("RGB", shape), size=size, mode=mode).size == expected


def test_short_side_equals_torchvision() -> None:
    twin = pytest.importorskip("torchvision.transforms.functional")
    pixels = np.random.default_rng(0).integers(0, 256, (61, 97, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    ours = resize_for_inference(image, size=32, mode="short_side")
    assert ours.tobytes() == twin.resize(image, 32).tobytes()


def test_wrong_arguments_are_named() -> None:
    image = Image.new("RGB", (4, 4))
    with pytest.raises(ValueError, match="size got 0"):
        resize_for_inference(image, size=0, mode="square")
    with pytest.raises(ValueError, match="mode got 'crop'"):
        resize_for_inference(image, size=4, mode="crop")  # type: ignore[arg-type]
    assert set(get_args(ResizeMode)) == {"square", "short_side", "long_side"}
