"""How a picture is resized before it is described."""

from dataclasses import dataclass

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
        if self.size < 16:
            raise ValueError(f"size got {self.size}; expected at least 16 pixels")
