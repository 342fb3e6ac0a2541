"""What every backbone is: pictures in, an activation map out, and parameters in order of depth."""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional


class Backbone(nn.Module, ABC):
    """Maps normalised pictures (B, 3, H, W) to an activation map (B, C, h, w).

    Attributes:
        channels: C.
    """

    channels: int

    @abstractmethod
    def depth_of(self, parameter: str) -> int:
        """How deep a parameter lies: 0 in the stem, one more in each stage or block after it.

        Args:
            parameter: Its name, as `named_parameters` of the backbone gives it.
        """


def nearest_multiple(pictures: Tensor, cell: int) -> Tensor:
    """Stretch pictures to the nearest whole number of cells a side.

    A transformer cuts pictures into square patches. A picture that is no whole number of them is
    stretched by at most half a patch a side, rather than padded with a border it does not have.

    Args:
        pictures: (B, 3, H, W), floats.
        cell: Side of a patch in pixels.
    """
    height, width = (max(cell, (side + cell // 2) // cell * cell) for side in (pictures.shape[-2:]))
    return stretched(pictures, height, width)


def stretched(pictures: Tensor, height: int, width: int) -> Tensor:
    """Pictures at another size, antialiased; as they are where the size is theirs already."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    return functional.interpolate(
        pictures, size=(height, width), mode="bilinear", antialias=True, align_corners=False
    )
