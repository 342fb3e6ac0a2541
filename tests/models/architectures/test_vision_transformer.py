"""Transformers for pictures of any size: positions, patches, and odd sizes."""

from typing import Any

import pytest
import torch
from torch.nn import functional

from sscd.models.architectures.backbone import nearest_multiple
from sscd.models.architectures.vision_transformer import build_vision_transformer


@pytest.fixture(scope="module")
def backbone() -> Any:
    torch.manual_seed(0)
    return build_vision_transformer("vit_b_32", class_token=False).eval()


def test_positions_are_the_learnt_ones_at_their_own_size(backbone: Any) -> None:
    assert backbone._positions(7, 7) is backbone.encoder.pos_embedding
    assert backbone._positions(5, 9).shape == (1, 46, 768)


def _centres(count: int) -> torch.Tensor:
    """Where the centres of `count` patches lie among 7 learnt ones."""
    return (torch.arange(count) + 0.5) * 7 / count - 0.5


def test_positions_of_a_slope_stay_a_slope(backbone: Any) -> None:
    """Interpolation puts rows and columns in their place: not transposed, not shifted."""
    twin = build_vision_transformer("vit_b_32", class_token=False)
    rows, columns = torch.meshgrid(torch.arange(7.0), torch.arange(7.0), indexing="ij")
    learnt = torch.zeros(1, 50, 768)
    learnt[0, 1:, 0], learnt[0, 1:, 1], learnt[0, 0, 2] = rows.flatten(), columns.flatten(), 5.0
    twin.encoder.pos_embedding.data.copy_(learnt)  # type: ignore[union-attr, operator]
    got = twin._positions(14, 21)[0].detach()  # type: ignore[operator]
    assert float(got[0, 2]) == 5.0, "the class token keeps its own"
    inner = got[1:].reshape(14, 21, 768)[4:-4, 4:-4]
    torch.testing.assert_close(inner[:, 0, 0], _centres(14)[4:-4], atol=0.02, rtol=0)
    torch.testing.assert_close(inner[0, :, 1], _centres(21)[4:-4], atol=0.02, rtol=0)


def test_the_map_lies_as_the_picture_does(backbone: Any) -> None:
    """A change in one corner of the picture changes that corner of the map the most."""
    pictures = torch.zeros(2, 3, 128, 192)
    pictures[1, :, -32:, :32] = 3.0
    shallow = build_vision_transformer("vit_b_32", class_token=False).eval()
    shallow.encoder.layers = torch.nn.Sequential()  # type: ignore[union-attr]
    with torch.inference_mode():
        plain, changed = shallow(pictures)
    moved = (plain - changed).abs().sum(dim=0)
    assert moved.shape == (4, 6)
    assert moved.flatten().argmax() == 3 * 6
    assert (moved > 1e-6).sum() == 1


@pytest.mark.parametrize(
    ("size", "expected"), [((64, 64), (64, 64)), ((79, 81), (64, 96)), ((5, 48), (32, 64))]
)
def test_pictures_are_stretched_to_the_nearest_patch(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    pictures = torch.rand(1, 3, *size)
    fitted = nearest_multiple(pictures, 32)
    assert fitted.shape[-2:] == expected
    if size == expected:
        assert fitted is pictures
    assert float(fitted.min()) >= 0.0
    assert float(fitted.max()) <= 1.0


def test_a_class_token_alone_is_the_class_token(backbone: Any) -> None:
    alone = build_vision_transformer("vit_b_32", class_token=True).eval()
    alone.load_state_dict(backbone.state_dict())
    pictures = torch.randn(2, 3, 96, 64)
    with torch.inference_mode():
        token = alone(pictures)
        patches = backbone(pictures)
    assert token.shape == (2, 768, 1, 1)
    assert patches.shape == (2, 768, 3, 2)
    alike = functional.cosine_similarity(token[..., 0, 0], patches.mean(dim=(2, 3)))
    assert not torch.allclose(alike, torch.ones(2))


def test_both_are_trained_at_any_size(backbone: Any) -> None:
    backbone(torch.randn(1, 3, 64, 100)).square().mean().backward()
    gradient = backbone.encoder.pos_embedding.grad
    assert float(gradient[:, 1:].abs().sum()) > 0
    backbone.zero_grad()
