"""Pictures at exactly a wanted distance, as peak signal-to-noise ratio, from others.

DISC21 paper, appendix A.3, equations 5 and 6. A difference of norm ε has the PSNR
`p = 20·log₁₀ 255 − 10·log₁₀(ε² / N)`, N = pixels × channels, so that `ε = 10^((K − p)/20)` with
`K = 20·log₁₀ 255 + 10·log₁₀ N`. Equation 6 has 10 in place of that 20 and N without the channels:
its pictures would be some 19 to 24 dB better than p.
"""

import math

import torch
from torch import Tensor

PEAK = 255
_HALVINGS = 26
_LARGEST = 64.0
"""How many times its unclipped norm a difference may be stretched until the picture saturates."""


def psnr(pictures: Tensor, others: Tensor) -> Tensor:
    """PSNR of pictures, in dB.

    Args:
        pictures: (B, 3, H, W), values from 0 to 255 of any type.
        others: The same shape.

    Returns:
        (B,) float32; infinite where both are the same.

    Raises:
        ValueError: The shapes differ.

    >>> float(psnr(torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 25.5)))
    20.0
    """
    if pictures.shape != others.shape:
        raise ValueError(
            f"pictures got {tuple(pictures.shape)} and {tuple(others.shape)}; expected the same"
        )
    error = (pictures.float() - others.float()).flatten(1).square().mean(dim=1)
    decibels: Tensor = 20 * math.log10(PEAK) - 10 * error.log10()
    return decibels


def error_norm(decibels: float, *, values: int) -> float:
    """ε(p): the norm of the difference between pictures with that PSNR (equation 6, mended).

    Args:
        decibels: The PSNR p.
        values: N, pixels × channels.

    >>> round(error_norm(20, values=100), 6)
    255.0
    """
    constant = 20 * math.log10(PEAK) + 10 * math.log10(values)
    return float(10 ** ((constant - decibels) / 20))


def scale_to_psnr(change: Tensor, decibels: Tensor | float) -> Tensor:
    """Changes of the norm that a PSNR asks for.

    Args:
        change: (B, 3, H, W), what is added to pictures.
        decibels: The PSNR of all, or (B,) of each.

    Returns:
        (B, 3, H, W); a change that is 0 everywhere stays so.
    """
    norm: Tensor = change.flatten(1).norm(dim=1).clamp(min=1e-30)
    loss = torch.as_tensor(decibels, dtype=change.dtype, device=change.device) / 20
    wanted: Tensor = error_norm(0.0, values=change[0].numel()) * 10**-loss
    return change * (wanted / norm).view(-1, 1, 1, 1)


def project_psnr(changed: Tensor, pictures: Tensor, decibels: Tensor | float) -> Tensor:
    """Scale each picture's change to the norm that a PSNR asks for (equation 5).

    Pixels may leave the range 0 to 255; see `fit_psnr` for pictures to be kept.

    Args:
        changed: (B, 3, H, W) floats.
        pictures: What they were.
        decibels: The PSNR of all, or (B,) of each.

    Returns:
        (B, 3, H, W); a picture without any change stays as it is.
    """
    return pictures + scale_to_psnr(changed - pictures, decibels)


@torch.no_grad()
def fit_psnr(changed: Tensor, pictures: Tensor, decibels: Tensor | float) -> Tensor:
    """Whole, clipped pixels with the wanted PSNR.

    Clipping and rounding change the norm of a change, so the scale is searched for at which the
    finished picture has the PSNR: its error only grows with the scale. Nothing waits for the
    device.

    Args:
        changed: (B, 3, H, W) floats.
        pictures: (B, 3, H, W) uint8, what they were.
        decibels: The PSNR of all, or (B,) of each.

    Returns:
        (B, 3, H, W) uint8, as near to the PSNR as pixels allow. What is black or white already, or
        a change that has only a few values, may not reach it; `psnr` says what was reached.
    """
    before = pictures.float()
    change = scale_to_psnr(changed.float() - before, decibels)
    low = torch.zeros(len(change), device=change.device)
    high = torch.full_like(low, _LARGEST)
    wanted = torch.as_tensor(decibels, dtype=low.dtype, device=low.device)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = psnr(_scaled(before, change, middle), before) <= wanted
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    below, above = _scaled(before, change, low), _scaled(before, change, high)
    nearer = (psnr(below, before) - wanted).abs() <= (psnr(above, before) - wanted).abs()
    return torch.where(nearer.view(-1, 1, 1, 1), below, above).to(torch.uint8)


def _scaled(before: Tensor, change: Tensor, scale: Tensor) -> Tensor:
    return (before + change * scale.view(-1, 1, 1, 1)).round().clamp(0, PEAK)
