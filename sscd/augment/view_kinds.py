"""Views beside those of the recipe: gentle ones, small ones, and the picture as it is."""

from dataclasses import dataclass
from typing import Literal

from sscd.augment.recipes import RecipeConfig

Unedited = Literal["negatives"]
"""What the unedited picture serves as.

A negative of other pictures' views, the memory's and the entropy's included, and nothing to its own
picture's; what is logged of positives and of the descriptors' spread is of the views alone. To a
classifier and a teacher, where there are any, it is a view like the others.
"""


@dataclass(frozen=True)
class GentleConfig:
    """The first views of every picture, made by another recipe.

    References are never edited, so a gentle view beside a strong one is the task itself (Yokoo,
    "Contrastive Learning with Large Memory Bank and Negative Embedding Subtraction for Accurate
    Copy Detection", 2021, arXiv 2112.04323).

    Attributes:
        views: How many of the `data.views` it makes; 0 for none.
        recipe: How; by default the whole picture, resized to the square.
    """

    views: int = 0
    recipe: RecipeConfig = RecipeConfig("whole", (1.0, 1.0), jitter_strength=0.0, mirror=0.0)

    def __post_init__(self) -> None:
        if self.views < 0:
            raise ValueError(f"gentle.views got {self.views}; expected 0 or more")


@dataclass(frozen=True)
class LocalConfig:
    """Small views of small parts, which are copies of the picture's other views.

    Multi-crop (Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
    Assignments", NeurIPS 2020, arXiv 2006.09882, section 3.3): they show parts against the whole
    at little cost. They go through the network as a batch of their own.

    Attributes:
        views: Of a picture, beside the `data.views`; 0 for none.
        size: Their side in every epoch, pixels.
        crop_scale: Range of the crop's area over the picture's; all else is as the recipe has it.
    """

    views: int = 0
    size: int = 32
    crop_scale: tuple[float, float] = (0.05, 0.3)

    def __post_init__(self) -> None:
        if self.views < 0 or self.size < 1:
            raise ValueError(
                f"local.views and size got {self.views} and {self.size}; expected 0 or more views "
                "of at least 1 pixel"
            )
        try:
            RecipeConfig(crop_scale=self.crop_scale)
        except ValueError as error:
            raise ValueError(f"local.{error}") from error
