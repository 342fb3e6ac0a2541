import math

import pytest
import torch
from torch import Tensor

from sscd.attacks.ssim import SSIMTo, ssim


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=generator).float()


def naive(x: list[list[float]], y: list[list[float]]) -> list[list[float]]:
    """Wang et al. 2004, equation 13, of one channel, pixel by pixel."""
    height, width = len(x), len(x[0])
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    raw = [math.exp(-(d**2) / (2 * 1.5**2)) for d in range(-5, 6)]
    bell = [value / sum(raw) for value in raw]

    def mean(row: int, column: int, value: object) -> float:
        return sum(
            bell[i]
            * bell[j]
            * value(  # type: ignore[operator]
                min(max(row + i - 5, 0), height - 1), min(max(column + j - 5, 0), width - 1)
            )
            for i in range(11)
            for j in range(11)
        )

    def at(row: int, column: int) -> float:
        mx = mean(row, column, lambda i, j: x[i][j])
        my = mean(row, column, lambda i, j: y[i][j])
        vx = mean(row, column, lambda i, j: (x[i][j] - mx) ** 2)
        vy = mean(row, column, lambda i, j: (y[i][j] - my) ** 2)
        both = mean(row, column, lambda i, j: (x[i][j] - mx) * (y[i][j] - my))
        return (2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))

    return [[at(row, column) for column in range(width)] for row in range(height)]


def test_map_is_the_formula_of_each_channel() -> None:
    x, y = drawn(2, 3, 7, 9), drawn(2, 3, 7, 9, seed=1)
    y = (0.6 * x + 0.4 * y).round()
    got = SSIMTo(x).map(y)
    for picture, channel in ((0, 0), (1, 2)):
        expected = naive(x[picture, channel].tolist(), y[picture, channel].tolist())
        assert torch.allclose(got[picture, channel], torch.tensor(expected), atol=1e-4)
    assert torch.allclose(ssim(x, y), got.mean(dim=(1, 2, 3)))
    assert torch.allclose(SSIMTo(y).map(x), got, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1.0, 254.0, 255.0])
def test_equal_pictures_are_wholly_alike(level: float) -> None:
    plain = torch.full((1, 3, 20, 5), level)
    assert torch.allclose(SSIMTo(plain).map(plain), torch.ones(1), atol=1e-5)
    busy = drawn(1, 3, 20, 5)
    assert torch.allclose(SSIMTo(busy).map(busy), torch.ones(1), atol=1e-5)


def test_a_negative_is_less_than_unlike() -> None:
    picture = drawn(1, 1, 16, 16)
    assert float(ssim(picture, 255 - picture)) < -0.5
    assert float(ssim(torch.zeros(1, 3, 1, 1), torch.full((1, 3, 1, 1), 255.0))) < 0.01


def test_changes_stay_where_there_is_texture() -> None:
    picture = torch.full((1, 3, 24, 48), 128.0)
    picture[..., 24:] = drawn(1, 3, 24, 24)
    change = 12.0 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(3))
    kept = SSIMTo(picture).attenuate(picture + change) - picture
    plain, busy = kept[..., :16].abs().mean(), kept[..., 32:].abs().mean()
    assert busy > 3 * plain
    assert (kept * change >= 0).all()
    assert (kept.abs() <= change.abs() + 1e-4).all()


def test_shapes_must_be_the_same() -> None:
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 5\); expected \(1, 3, 4, 4\)"):
        ssim(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))
