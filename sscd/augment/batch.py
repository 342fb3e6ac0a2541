"""The device half of augmentation: `Photometric` for a whole batch, each view with its own values.

Between changes the views are uint8, as PIL's are, so both halves round at the same places. Which
rows a change concerns is worked out on the CPU from the packed parameters, and only those rows are
computed; nothing is read back from the device, so the host never waits for it.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from sscd.augment import photometric as columns

_Change = Callable[[Tensor, Tensor], Tensor]
"""(n, 3, S, S) float32 in 0 to 255 and (n, 11) on the CPU → whole numbers, maybe beyond."""

# ITU-T T.81, annex K: what libjpeg scales by the quality.
_LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA_TABLE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
# JFIF 1.02: Y, Cb, Cr from R, G, B, and back.
_TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136286, -0.714136286), (1.0, 1.772, 0.0))


@torch.no_grad()
def apply_photometric(views: Tensor, parameters: Tensor) -> Tensor:
    """Change each view's pixels by its own parameters, as `Photometric.apply` does.

    Args:
        views: (N, 3, S, S) uint8 RGB on any device, in any memory format; left as they are.
        parameters: (N, 11) float32 of `photometric.pack`, on the CPU.

    Returns:
        (N, 3, S, S) uint8 on the same device.

    Raises:
        ValueError: A shape, type or device does not fit.
    """
    if views.ndim != 4 or views.shape[1] != 3 or views.dtype != torch.uint8:
        raise ValueError(
            f"views got {tuple(views.shape)} {views.dtype}; expected (N, 3, S, S) uint8"
        )
    if parameters.shape != (len(views), columns.COLUMNS) or parameters.device.type != "cpu":
        raise ValueError(
            f"parameters got {tuple(parameters.shape)} on {parameters.device}; expected "
            f"({len(views)}, {columns.COLUMNS}) on the CPU"
        )
    changed = views.clone()
    jitter = (_brightness, _contrast, _saturation, _hue)  # by their numbers in the order
    with torch.autocast(views.device.type, enabled=False):
        for step in parameters[:, columns.ORDER_COLUMNS].unbind(1):
            for number, change in enumerate(jitter):
                _change_rows(changed, parameters, step == number, change)
        greyscale = parameters[:, columns.GREYSCALE_COLUMN] > 0
        _change_rows(changed, parameters, greyscale, _greyscale)
        _change_rows(changed, parameters, parameters[:, columns.BLUR_COLUMN] > 0, _blur)
        _change_rows(changed, parameters, parameters[:, columns.JPEG_COLUMN] >= 0, _jpeg)
    return changed


def _change_rows(views: Tensor, parameters: Tensor, chosen: Tensor, change: _Change) -> None:
    """Change in place those rows of `views` that `chosen` (N, on the CPU) names."""
    rows = chosen.nonzero().flatten()
    if len(rows):
        index = rows.to(views.device, non_blocking=True)
        pixels = views.index_select(0, index).contiguous().float()
        changed = change(pixels, parameters[rows]).clamp(0, 255).to(torch.uint8)
        views.index_copy_(0, index, changed)


def _factor(parameters: Tensor, change: int) -> Tensor:
    return parameters[:, columns.FACTOR_COLUMNS.start + change]


def _truncated(image: Tensor) -> Tensor:
    """From kornia's 0 to 1 to whole numbers, cut off as Pillow's blend does."""
    return (image * 255 + 1e-3).floor()  # what is whole but for float32's error stays


def _brightness(pixels: Tensor, parameters: Tensor) -> Tensor:
    from kornia.enhance import adjust_brightness_accumulative

    factor = _factor(parameters, columns.BRIGHTNESS)
    return _truncated(adjust_brightness_accumulative(pixels / 255, factor))


def _contrast(pixels: Tensor, parameters: Tensor) -> Tensor:
    from kornia.enhance import adjust_contrast_with_mean_subtraction

    factor = _factor(parameters, columns.CONTRAST)
    return _truncated(adjust_contrast_with_mean_subtraction(pixels / 255, factor))


def _saturation(pixels: Tensor, parameters: Tensor) -> Tensor:
    from kornia.enhance import adjust_saturation_with_gray_subtraction

    factor = _factor(parameters, columns.SATURATION)
    return _truncated(adjust_saturation_with_gray_subtraction(pixels / 255, factor))


def _hue(pixels: Tensor, parameters: Tensor) -> Tensor:
    from kornia.enhance import adjust_hue

    # `operations.hue` turns by whole levels, of which Pillow's circle has 255.
    levels = (_factor(parameters, columns.HUE) * 255).trunc()
    return (adjust_hue(pixels / 255, levels * (2 * math.pi / 255)) * 255).round()


def _greyscale(pixels: Tensor, parameters: Tensor) -> Tensor:  # noqa: ARG001
    from kornia.color import rgb_to_grayscale

    return rgb_to_grayscale(pixels).round().expand_as(pixels)


def _blur(pixels: Tensor, parameters: Tensor) -> Tensor:
    """Blur three times by a box of fractional width, along rows, then columns, as Pillow does.

    Gwosdek et al., "Theoretical foundations of Gaussian convolution by extended box filtering"
    (SSVM 2011). A sampled Gaussian of the same deviation keeps another share of fine detail, and
    below half a pixel another variance.
    """
    from kornia.filters import filter2d

    variance = parameters[:, columns.BLUR_COLUMN].square() / 3  # of each of three boxes
    whole = ((12 * variance + 1).sqrt() / 2 - 0.5).floor()
    edge = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance)
    radius = (whole + edge / (6 * (variance - (whole + 1).square())))[:, None]
    reach = math.ceil(float(radius.max()))
    distance = torch.arange(-reach, reach + 1).abs()
    box = (radius + 1 - distance).clamp(0, 1) / (2 * radius + 1)
    for kernel in (box[:, None, :], box[:, :, None]):
        for _ in range(3):
            pixels = filter2d(pixels, kernel, border_type="replicate")
    return pixels.round()


def _jpeg(pixels: Tensor, parameters: Tensor) -> Tensor:
    """Encode and decode, 4:2:0, with libjpeg's roundings.

    Kornia's codec is made to be differentiable: it replaces rounding by a cubic and knows the
    colour matrices to three digits. At low qualities that is a visibly milder loss, less than 30 dB
    from Pillow's.
    """
    height, width = pixels.shape[2:]
    padded = functional.pad(pixels, (0, -width % 16, 0, -height % 16), mode="replicate")
    planes = _mix(padded, _TO_YCBCR).round()
    luma, chroma = planes[:, :1], planes[:, 1:]
    # libjpeg rounds halves down and up by turns, so that the mean keeps its place.
    halves = torch.arange(chroma.shape[3] // 2, device=pixels.device) % 2 * 0.25 + 0.25
    chroma = (functional.avg_pool2d(chroma, 2) + halves).floor()
    luma_table, chroma_table = _quantisation(parameters[:, columns.JPEG_COLUMN], pixels.device)
    luma = _quantise(luma - 128, luma_table)[:, :, :height, :width]
    chroma = _quantise(chroma, chroma_table)[:, :, : (height + 1) // 2, : (width + 1) // 2]
    chroma = functional.interpolate(chroma, scale_factor=2, mode="bilinear").round()
    decoded = torch.cat((luma + 128, chroma[:, :, :height, :width]), dim=1)
    return _mix(decoded, _TO_RGB).round()


def _mix(pixels: Tensor, matrix: tuple[tuple[float, float, float], ...]) -> Tensor:
    """Each pixel's three numbers times a matrix."""
    first, second, third = pixels.unbind(1)
    return torch.stack([first * a + second * b + third * c for a, b, c in matrix], dim=1)


def _quantisation(quality: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Tables (n, 1, 1, 1, 8, 8) of luma and chroma for n qualities, as libjpeg scales them."""
    quality = quality.clamp(min=1)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    tables = torch.tensor((_LUMA_TABLE, _CHROMA_TABLE), dtype=torch.float32)
    scaled = ((tables[:, None] * percent[:, None, None] + 50) / 100).floor().clamp(1, 255)
    luma, chroma = scaled[:, :, None, None, None].to(device, non_blocking=True)
    return luma, chroma


def _quantise(planes: Tensor, table: Tensor) -> Tensor:
    """Round the cosine transform of each 8 × 8 block of (n, c, h, w) to multiples of `table`."""
    count, channels, height, width = planes.shape
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    place = torch.arange(8, dtype=torch.float32, device=planes.device)
    cosines = torch.cos(torch.outer(place, 2 * place + 1) * (math.pi / 16)) / 2
    cosines = torch.cat((cosines[:1] / math.sqrt(2), cosines[1:]))
    steps = cosines @ blocks @ cosines.T / table
    # libjpeg rounds halves away from zero; flat blocks often hit one, give or take float32's error.
    coefficients = (steps.abs() + (0.5 + 1e-4)).floor() * steps.sign() * table
    decoded = (cosines.T @ coefficients @ cosines).transpose(3, 4).reshape(planes.shape)
    return decoded.clamp(-128, 127).round()
