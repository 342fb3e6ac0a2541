"""The salient part of a picture, as an editor would pick it out by eye.

The saliency map is OpenCV's spectral residual (Hou and Zhang, CVPR 2007).
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from sscd.augment.opencv import opencv
from sscd.augment.operations import Box

_SIDE = 64
# Share of the map's side over which saliency is smoothed: parts, not edges.
_SMOOTHING = 0.06
_HALVINGS = 9


@dataclass(frozen=True, eq=False)
class SalientPart:
    """One connected part of a picture.

    Attributes:
        mask: L, of the picture's size, 255 inside; its outline is smooth.
        box: (left, top, right, bottom) in pixels of what the mask holds from one half on; never
            empty.
    """

    mask: Image.Image
    box: Box


def find_salient_part(image: Image.Image, *, share: float) -> SalientPart:
    """Find the part that catches the eye: grown about the peak of the saliency map.

    Args:
        image: RGB picture of any size.
        share: The part's area over the picture's, in [0, 1]; more where growing to it joins it to
            another part.

    Returns:
        The part; of a picture that shows nothing, its centre.
    """
    inside = _grow(saliency_map(image), share=share)
    small = Image.fromarray((inside * 255).astype(np.uint8))
    small = small.filter(ImageFilter.GaussianBlur(_SMOOTHING * _SIDE / 2))
    # Steep enough for a soft edge of about a fiftieth of the side.
    steep = small.resize(image.size, Image.Resampling.BICUBIC).point(
        [min(255, max(0, round(128 + 3 * (level - 128)))) for level in range(256)]
    )
    box = steep.point([255 * (level >= 128) for level in range(256)]).getbbox()
    if box is None:  # thinner than a pixel
        return SalientPart(Image.new("L", image.size, 255), (0, 0, *image.size))
    return SalientPart(steep, box)


def saliency_map(image: Image.Image) -> np.ndarray:
    """Smoothed saliency with a mild preference for the centre.

    Args:
        image: RGB picture of any size.

    Returns:
        float64 (64, 64) in [0, 1], whatever the picture's size.
    """
    cv2 = opencv()

    small = image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    found, raw = cv2.saliency.StaticSaliencySpectralResidual.create().computeSaliency(
        np.asarray(small)
    )
    across = np.linspace(-1, 1, _SIDE)
    central = np.exp(-(across[:, None] ** 2 + across[None, :] ** 2) / 0.8)
    flat = np.ptp(np.asarray(small.convert("L")).astype(int)) < 4
    if flat or not found or not np.ptp(raw) > 0:
        return central
    smooth = cv2.GaussianBlur(raw.astype(np.float64), (0, 0), _SMOOTHING * _SIDE)
    smooth = (smooth - smooth.min()) / max(float(np.ptp(smooth)), 1e-12)
    weighted: np.ndarray = smooth * (0.3 + 0.7 * central)
    return weighted / max(float(weighted.max()), 1e-12)


def _grow(saliency: np.ndarray, *, share: float) -> np.ndarray:
    """Lower the threshold until the part that holds the peak has the share of the area."""
    cv2 = opencv()

    row, column = np.unravel_index(int(saliency.argmax()), saliency.shape)
    low, high = 0.0, float(saliency.max())
    inside = np.ones(saliency.shape, dtype=bool)
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        _, labels = cv2.connectedComponents((saliency >= level).astype(np.uint8), connectivity=4)
        part = labels == labels[row, column]
        if part.mean() >= share:
            low, inside = level, part
        else:
            high = level
    return inside
