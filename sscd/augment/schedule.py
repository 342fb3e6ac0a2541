"""Which views a picture gets in which epoch: by which recipe, how large, and what beside them."""

import dataclasses
from dataclasses import dataclass

from sscd.augment.curriculum import CurriculumConfig
from sscd.augment.epoch_views import EpochViews, SharedOut, ViewMaker
from sscd.augment.progression import Progression, check_progression, size_at
from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.augment.view_kinds import GentleConfig, LocalConfig, Unedited


@dataclass(frozen=True)
class ViewSchedule:
    """What there is besides V views by one recipe, of one size, in every epoch; by default nothing.

    Attributes:
        gentle: The first views, by another recipe.
        curriculum: How the recipe grows.
        progression: How the views grow.
        local: Smaller views beside them.
        unedited: What the unedited picture serves as; None leaves it out.
        epochs: Of the whole training; None where nobody knows.
    """

    gentle: GentleConfig = GentleConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    progression: Progression = ()
    local: LocalConfig = LocalConfig()
    unedited: Unedited | None = None
    epochs: float | None = None

    @property
    def changes(self) -> bool:
        """Whether views are others, or of another size, in some epochs."""
        return self.curriculum.until > 0 or bool(self.progression)

    def check(self, *, views: int, image_size: int) -> None:
        """Check what goes with these views.

        Args:
            views: V.
            image_size: Their side at the end, pixels.

        Raises:
            ValueError: Nothing is left to the recipe, or sizes do not fit.
        """
        if self.gentle.views >= views:
            raise ValueError(
                f"gentle.views got {self.gentle.views} of {views} views; expected fewer, so that "
                "one is left to the recipe"
            )
        check_progression(self.progression, image_size=image_size)

    def at(self, epoch: int, recipe: Recipe, *, views: int) -> EpochViews:
        """The views of an epoch.

        Args:
            epoch: From 0 on.
            recipe: Of the views, at their side at the end.
            views: V.

        Raises:
            ValueError: They change over the training, and nobody knows how long it is.
        """
        if not self.changes:
            return self._made(recipe, views=views, size=recipe.size, grown=1.0)
        if self.epochs is None:
            raise ValueError("epochs got None; expected a number, for views that change")
        size = size_at(self.progression, epoch, self.epochs, image_size=recipe.size)
        grown = self.curriculum.grown(epoch, self.epochs)
        return self._made(recipe, views=views, size=size, grown=grown)

    def largest(self, recipe: Recipe, *, views: int) -> EpochViews:
        """The views of the epoch that needs the most room for them."""
        size = max([recipe.size, *(size for _, size in self.progression)])
        return self._made(recipe, views=views, size=size, grown=1.0)

    def _made(self, recipe: Recipe, *, views: int, size: int, grown: float) -> EpochViews:
        sized = recipe if size == recipe.size else Recipe(recipe.config, size=size)
        strong = _grown(sized, self.curriculum, grown)
        gentle = self.gentle.views
        local = self._local(recipe.config, grown=grown)
        return EpochViews(
            (Recipe(self.gentle.recipe, size=size),) * gentle + (strong,) * (views - gentle),
            (local,) * self.local.views if local else (),
            unedited=self.unedited is not None,
        )

    def as_record(self) -> dict[str, object]:
        """What there is, in plain values; nothing by default."""
        record: dict[str, object] = {}
        if self.gentle.views:
            record["gentle"] = dataclasses.asdict(self.gentle)
        if self.curriculum.until:
            record["curriculum"] = dataclasses.asdict(self.curriculum)
        if self.progression:
            record["progression"] = [list(step) for step in self.progression]
        if self.local.views:
            record["local"] = dataclasses.asdict(self.local)
        if self.unedited is not None:
            record["unedited"] = self.unedited
        return record

    def _local(self, recipe: RecipeConfig, *, grown: float) -> ViewMaker | None:
        if not self.local.views:
            return None
        crop = self.local.crop_scale
        small = Recipe(dataclasses.replace(recipe, crop_scale=crop), size=self.local.size)
        return _grown(small, dataclasses.replace(self.curriculum, crop_scale=crop), grown)


def _grown(recipe: Recipe, curriculum: CurriculumConfig, grown: float) -> ViewMaker:
    """The recipe when it has come so far, 0 to 1."""
    if grown >= 1:
        return recipe
    now = curriculum.recipe_at(grown, recipe.config)
    made = Recipe(now, size=recipe.size)
    share = curriculum.share_at(grown)
    if share == 1:
        return made
    return SharedOut(made, Recipe(dataclasses.replace(now, name="whole"), size=recipe.size), share)
