"""From gentle views to strong ones: a recipe that grows over the first epochs of a training."""

import dataclasses
from dataclasses import dataclass

from sscd.augment.recipes import RecipeConfig


@dataclass(frozen=True)
class CurriculumConfig:
    """Where the recipe of views starts; from there it goes linearly, epoch by epoch, to its own.

    Attributes:
        until: Share of the training, 0 to 1, after which the recipe is in force as it is; 0 for no
            curriculum.
        crop_scale: Range of the crop's area over the picture's in the first epoch.
        jitter_strength: Of the colour jitter in the first epoch.
        share: Of the views that the recipe makes in the first epoch, 0 to 1; the others are
            cropped, mirrored and jittered alone (the recipe `whole`).
    """

    until: float = 0.0
    crop_scale: tuple[float, float] = (0.5, 1.0)
    jitter_strength: float = 0.3
    share: float = 1.0

    def __post_init__(self) -> None:
        for name in ("until", "share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"curriculum.{name} got {getattr(self, name)}; expected a share, 0 to 1"
                )
        try:
            RecipeConfig(crop_scale=self.crop_scale, jitter_strength=self.jitter_strength)
        except ValueError as error:
            raise ValueError(f"curriculum.{error}") from error

    def grown(self, epoch: int, epochs: float) -> float:
        """How far the recipe has come in an epoch, 0 to 1.

        Args:
            epoch: From 0 on.
            epochs: Of the whole training.

        >>> [CurriculumConfig(until=0.5).grown(epoch, 8) for epoch in (0, 1, 4, 7)]
        [0.0, 0.25, 1.0, 1.0]
        """
        # 0.07 * 100 is a little more than 7: epoch 7 would still be growing.
        end = round(self.until * epochs, 6)
        return 1.0 if epoch >= end else epoch / end

    def recipe_at(self, grown: float, recipe: RecipeConfig) -> RecipeConfig:
        """The recipe when it has come so far; `recipe` itself in the end.

        Args:
            grown: 0 to 1.
            recipe: What it grows to.
        """
        if grown >= 1:
            return recipe
        low, high = (
            _between(start, end, grown)
            for start, end in zip(self.crop_scale, recipe.crop_scale, strict=True)
        )
        strength = _between(self.jitter_strength, recipe.jitter_strength, grown)
        return dataclasses.replace(recipe, crop_scale=(low, high), jitter_strength=strength)

    def share_at(self, grown: float) -> float:
        """Which share of views the recipe makes when it has come so far."""
        return _between(self.share, 1.0, grown)


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * share
