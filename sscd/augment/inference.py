"""How a picture is resized before it is described."""

from dataclasses import dataclass
from typing import get_args

from sscd.augment.tensors import ResizeMode


@dataclass(frozen=True)
class InferenceSize:
    """The size at which a network sees whole pictures.

    Attributes:
        size: Pixels.
        mode: `square` to size × size; `short_side` or `long_side` to `size`, aspect kept.
    """

    size: int = 288
    mode: ResizeMode = "square"

    def __post_init__(self) -> None:
        # Files of other people say it too, and a number that is no whole one fails late.
        if not isinstance(self.size, int):
            raise TypeError(f"size got {self.size!r}; expected a whole number of pixels")
        if self.mode not in get_args(ResizeMode):
            raise ValueError(
                f"mode got {self.mode!r}; expected one of {', '.join(get_args(ResizeMode))}"
            )
        if self.size < 16:
            raise ValueError(f"size got {self.size}; expected at least 16 pixels")
