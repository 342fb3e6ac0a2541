import math

import pytest
import torch
from torch import Tensor

from sscd.attacks.psnr import error_norm, fit_psnr, project_psnr, psnr, scale_to_psnr


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pictures(*shape: int, low: int = 0, high: int = 256) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(low, high, shape, generator=generator, dtype=torch.uint8)


def test_psnr_is_that_of_the_mean_square() -> None:
    one, other = pictures(2, 3, 5, 4), 255 - pictures(2, 3, 5, 4)
    for got, x, y in zip(psnr(one, other), one.double(), other.double(), strict=True):
        expected = 10 * math.log10(255**2 / float((x - y).square().mean()))
        assert float(got) == pytest.approx(expected, abs=1e-4)
    assert psnr(one, one).tolist() == [math.inf, math.inf]
    with pytest.raises(ValueError, match="expected the same"):
        psnr(one, one[:1])


def test_the_norm_counts_channels() -> None:
    # Of 4 × 5 pixels in three channels, one level each is 48.13 dB.
    assert error_norm(20 * math.log10(255), values=60) == pytest.approx(math.sqrt(60))


@pytest.mark.parametrize("decibels", [20.0, 40.0, 55.0])
def test_projection_is_exact_and_keeps_the_direction(decibels: float) -> None:
    x, change = pictures(2, 3, 8, 9).float(), noise(2, 3, 8, 9)
    y = project_psnr(x + change, x, decibels)
    assert psnr(x, y).tolist() == pytest.approx([decibels] * 2, abs=1e-3)
    cosine = torch.nn.functional.cosine_similarity((y - x).flatten(1), change.flatten(1))
    assert torch.allclose(cosine, torch.ones(2), atol=1e-4)


def test_each_picture_may_have_its_own_psnr() -> None:
    change = scale_to_psnr(noise(3, 3, 6, 6), torch.tensor([20.0, 30.0, 40.0]))
    assert psnr(change, torch.zeros_like(change)).tolist() == pytest.approx([20, 30, 40], abs=1e-3)
    still = scale_to_psnr(torch.zeros(1, 3, 2, 2), 30.0)
    assert torch.equal(still, torch.zeros(1, 3, 2, 2))
    tiny = scale_to_psnr(noise(1, 3, 6, 6) * 1e-12, 30.0)
    assert psnr(tiny, torch.zeros_like(tiny)).tolist() == pytest.approx([30], abs=1e-3)


@pytest.mark.parametrize("decibels", [20.0, 30.0, 40.0, 50.0])
@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 8), (248, 256), (255, 256)])
def test_finished_pictures_have_the_psnr_after_clipping_and_rounding(
    decibels: float, low: int, high: int
) -> None:
    x = pictures(2, 3, 40, 30, low=low, high=high)
    y = fit_psnr(x.float() + 300 * noise(2, 3, 40, 30), x, decibels)
    assert y.dtype == torch.uint8
    assert psnr(x, y).tolist() == pytest.approx([decibels] * 2, abs=0.02)


def test_each_finished_picture_has_its_own() -> None:
    x = pictures(3, 3, 40, 30)
    wanted = torch.tensor([25.0, 35.0, 45.0])
    y = fit_psnr(x.float() + noise(3, 3, 40, 30), x, wanted)
    assert psnr(x, y).tolist() == pytest.approx(wanted.tolist(), abs=0.02)


def test_what_cannot_be_reached_is_come_near() -> None:
    white = torch.full((1, 3, 8, 8), 255, dtype=torch.uint8)
    brighter = fit_psnr(white.float() + noise(1, 3, 8, 8).abs(), white, 30.0)
    assert torch.equal(brighter, white)
    pixel = torch.tensor([100, 100, 100], dtype=torch.uint8).view(1, 3, 1, 1)
    # One of three levels changed is 52.9 dB, two 49.9: nothing lies between.
    changed = fit_psnr(pixel + torch.tensor([3.0, 2.0, 1.0]).view(1, 3, 1, 1), pixel, 52.0)
    assert float(psnr(changed, pixel)) == pytest.approx(52.9, abs=0.01)
