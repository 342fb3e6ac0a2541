import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from sscd.attacks.describing import DifferentiableDescriber
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode, resize_for_inference, to_uint8_tensor
from sscd.data.procedural import draw_picture
from tests.models.networks import small_network


def pictures() -> list[Image.Image]:
    drawn = [draw_picture(seed=4, index=index, size=96) for index in range(4)]
    return [drawn[0], drawn[1].resize((70, 41)), drawn[2].resize((30, 64)), drawn[3]]


def as_floats(images: list[Image.Image]) -> list[torch.Tensor]:
    return [to_uint8_tensor(image)[None].float() for image in images]


@pytest.mark.parametrize("mode", ["square", "short_side", "long_side"])
def test_it_describes_as_inference_does(mode: ResizeMode) -> None:
    network = small_network(dims=32)
    inference = InferenceSize(40, mode)
    with torch.no_grad():
        got = DifferentiableDescriber(network, inference)(as_floats(pictures()))
        for descriptor, image in zip(got, pictures(), strict=True):
            resized = resize_for_inference(image, size=40, mode=mode)
            expected = network(to_uint8_tensor(resized)[None])[0]
            assert float(functional.cosine_similarity(descriptor, expected, dim=0)) > 0.9995


def test_resizing_is_pillows_but_for_its_rounding() -> None:
    describer = DifferentiableDescriber(small_network(), InferenceSize(40))
    for image, floats in zip(pictures(), as_floats(pictures()), strict=True):
        resized = resize_for_inference(image, size=40, mode="square")
        expected = np.asarray(resized, dtype=np.float32).transpose(2, 0, 1)
        assert np.abs(describer._resize(floats)[0].numpy() - expected).max() < 1.51


def test_a_gradient_reaches_the_pixels() -> None:
    describer = DifferentiableDescriber(small_network(), InferenceSize(32))
    pixels = [picture.requires_grad_() for picture in as_floats(pictures()[:2])]
    gradients = torch.autograd.grad(describer(pixels)[:, 0].sum(), pixels)
    assert all(float(gradient.abs().max()) > 0 for gradient in gradients)
