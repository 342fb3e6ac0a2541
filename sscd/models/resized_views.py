"""A picture seen several times: at several scales, and in the mirror."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from torch import Tensor
from torch.nn import functional

_MULTIPLE = 16
"""Scaled sides are multiples of so many pixels: the patches of most transformers."""
_DENOMINATORS = 1000


def resized_views(pictures: Tensor, scales: Sequence[float], *, mirror: bool) -> Iterator[Tensor]:
    """The pictures at each scale, and mirrored at each scale.

    Radenović, Tolias and Chum (TPAMI 2019, section 5.2) average descriptors of several scales.
    Sides are computed in whole numbers, so that graphs of any size hold them.

    Args:
        pictures: (B, 3, H, W), floats.
        scales: Of the sides; 1 leaves the pictures as they are, others round the sides up to a
            multiple of 16 pixels.
        mirror: Whether left and right are swapped besides.

    Yields:
        (B, 3, h, w) for each scale in turn, each followed by its mirror image.
    """
    for scale in scales:
        seen = pictures if scale == 1 else _resized(pictures, scale)
        yield seen
        if mirror:
            yield seen.flip(-1)


def scaled_side(side: int, scale: float) -> int:
    """A side of a picture at a scale, rounded up to a multiple of 16 pixels.

    >>> [scaled_side(160, scale) for scale in (0.7, 1.4, 1.42)]
    [112, 224, 240]
    """
    share = Fraction(scale).limit_denominator(_DENOMINATORS)
    step = share.denominator * _MULTIPLE
    # A graph's sides are symbols, which know no `math.ceil` of a fraction.
    return (side * share.numerator + step - 1) // step * _MULTIPLE


def _resized(pictures: Tensor, scale: float) -> Tensor:
    height, width = (scaled_side(side, scale) for side in pictures.shape[-2:])
    return functional.interpolate(pictures, size=(height, width), mode="bilinear", antialias=True)
