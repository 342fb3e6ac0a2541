"""The training recipes of SSCD: a picture's size and a random stream in, the plan of a view out.

Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", CVPR 2022 (arXiv
2202.10261), section 4: SIMCLR is the baseline, STRONG_BLUR blurs more, ADVANCED adds rotations,
overlays of text and emoji, and JPEG.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.edited_views import EditedPlan, Edits
from sscd.augment.edits.operation import SecondaryPictures
from sscd.augment.edits_config import EditsConfig
from sscd.augment.geometry import Geometry
from sscd.augment.overlay import EmojiOverlay, TextOverlay
from sscd.augment.photometric import Photometric

RecipeName = Literal["simclr", "strong_blur", "advanced", "whole", "edits"]

JITTER = (0.8, 0.8, 0.8, 0.2)
"""Brightness, contrast, saturation, hue of the published colour jitter."""
PUBLISHED_SIZE = 224
"""Side, in pixels, of the view that the published blur radii are meant for."""
SIMCLR_BLUR = (0.1, 2.0)
STRONG_BLUR = (1.0, 5.0)


@dataclass(frozen=True)
class RecipeConfig:
    """Settings of a recipe. The defaults are the published ones; gentler ones suit small budgets.

    Args:
        name: simclr, strong_blur, advanced, or whole: a crop and colour jitter alone, and the whole
            picture where `crop_scale` is [1, 1]; or edits: DISC21's, chained, and a crop.
        crop_scale: Range of the crop's area over the picture's.
        crop_ratio: Range of the crop's width over its height.
        jitter_strength: Multiplies the published colour jitter (.8, .8, .8, .2); 0 turns it off.
        mirror: Probability that left and right are mirrored.
        edits: Settings of the recipe edits, which of the others here takes the crop's alone.

    Raises:
        ValueError: A value out of its range.
        UserError: The table of edits is missing or wrong.
    """

    name: RecipeName = "advanced"
    crop_scale: tuple[float, float] = (0.08, 1.0)
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    jitter_strength: float = 1.0
    mirror: float = 0.5
    edits: EditsConfig = field(default_factory=EditsConfig)

    def __post_init__(self) -> None:
        if self.name not in get_args(RecipeName):
            raise ValueError(f"name got {self.name!r}; expected {', '.join(get_args(RecipeName))}")
        if len(self.crop_scale) != 2 or not 0 < self.crop_scale[0] <= self.crop_scale[1] <= 1:
            raise ValueError(f"crop_scale got {self.crop_scale}; expected 0 < low <= high <= 1")
        low, high = self.crop_ratio
        if not 0 < low <= high or not math.isfinite(high):
            raise ValueError(f"crop_ratio got {self.crop_ratio}; expected 0 < low <= high")
        if not 0 <= self.jitter_strength <= 2.5:  # at 2.5 the hue turns by any angle
            raise ValueError(f"jitter_strength got {self.jitter_strength}; expected 0 to 2.5")
        if not 0 <= self.mirror <= 1:
            raise ValueError(f"mirror got {self.mirror}; expected a probability, 0 to 1")
        if self.name == "edits":
            self.edits.load()

    def as_record(self) -> dict[str, Any]:
        """The settings in plain values, those of edits where they are made."""
        values = asdict(self)
        return values if self.name == "edits" else {k: values[k] for k in values if k != "edits"}


@dataclass(frozen=True)
class ViewPlan:
    """Everything that was drawn for one view, before a pixel is touched.

    Attributes:
        geometry: From the picture to S×S pixels.
        photometric: What is done to these pixels then.
    """

    geometry: Geometry
    photometric: Photometric

    def reduction(self, size: int) -> float:
        """By how much the picture may be shrunk without the view of `size` being enlarged."""
        return self.geometry.reduction(size)

    def apply(
        self,
        picture: Image.Image,
        *,
        size: int,
        others: SecondaryPictures | None = None,  # noqa: ARG002
    ) -> Image.Image:
        """Return the view (size, size) before its photometric half; no other picture is used."""
        return self.geometry.apply(picture, size=size)

    def as_json(self) -> dict[str, Any]:
        """The plan in plain values."""
        return asdict(self)


Plan = ViewPlan | EditedPlan
"""What was drawn for a view by any recipe."""


class Recipe:
    """Makes views of one size by one recipe.

    The blur radius is scaled by size/224, so that a small view is blurred as much, relative to its
    side, as a published one.

    Args:
        config: The recipe's settings.
        size: Side of the views, pixels.

    Raises:
        ValueError: `size` is not positive.
        UserError: The table of edits is wrong.
    """

    def __init__(self, config: RecipeConfig, *, size: int) -> None:
        if size < 1:
            raise ValueError(f"size got {size}; expected at least 1")
        self.config = config
        self.size = size
        blur = SIMCLR_BLUR if config.name == "simclr" else STRONG_BLUR
        self._blur = (blur[0] * size / PUBLISHED_SIZE, blur[1] * size / PUBLISHED_SIZE)
        self._edits: Edits | None = None
        if config.name == "edits":
            self._edits = Edits(
                config.edits, crop_scale=config.crop_scale, crop_ratio=config.crop_ratio
            )

    @property
    def needs_others(self) -> bool:
        """Whether views show other pictures as well."""
        return self._edits is not None and self._edits.table.needs_secondary

    def plan(self, picture: tuple[int, int], rng: np.random.Generator) -> Plan:
        """Draw one view.

        Args:
            picture: Width and height of the picture, pixels.
            rng: The view's own stream (`seeds.view_rng`).
        """
        if self._edits is not None:
            return self._edits.plan(picture, rng)
        if self.config.name == "advanced":
            geometry = self._disturbed(picture, rng)
        else:
            box = self._box(picture, rng)
            flip = rng.random() < self.config.mirror
            if flip:  # these recipes mirror the crop
                box = (picture[0] - box[2], box[1], picture[0] - box[0], box[3])
            geometry = Geometry(picture=picture, box=box, flip=flip)
        return ViewPlan(geometry, self._photometric(rng))

    def __call__(
        self,
        image: Image.Image,
        rng: np.random.Generator,
        others: SecondaryPictures | None = None,
    ) -> Image.Image:
        """Return one view, RGB of (size, size). The picture is left as it is.

        Args:
            image: RGB picture of any size.
            rng: The view's own stream (`seeds.view_rng`).
            others: Pictures that views may show as well (`needs_others`).

        Raises:
            ValueError: The picture is not RGB, or other pictures are needed and there are none.
        """
        if image.mode != "RGB":
            raise ValueError(f"image.mode got {image.mode}; expected RGB")
        plan = self.plan(image.size, rng)
        return plan.photometric.apply(plan.apply(image, size=self.size, others=others))

    def _disturbed(self, picture: tuple[int, int], rng: np.random.Generator) -> Geometry:
        """What ADVANCED does to the whole picture, and then the crop."""
        flip = rng.random() < self.config.mirror
        right_angle = 90 * int(rng.integers(1, 4)) if rng.random() < 0.05 else 0
        text = TextOverlay.draw(rng) if rng.random() < 0.1 else None
        emoji = EmojiOverlay.draw(rng) if rng.random() < 0.2 else None
        rotation = float(rng.uniform(0, 359)) if rng.random() < 0.05 else None
        turned = picture if right_angle % 180 == 0 else (picture[1], picture[0])
        return Geometry(
            picture=picture,
            box=self._box(turned, rng),
            flip=flip,
            right_angle=right_angle,
            text=text,
            emoji=emoji,
            rotation=rotation,
        )

    def _box(self, picture: tuple[int, int], rng: np.random.Generator) -> operations.Box:
        if self.config.name == "whole" and self.config.crop_scale[0] == 1:
            return 0, 0, *picture
        return operations.random_resized_crop_box(
            rng,
            width=picture[0],
            height=picture[1],
            scale=self.config.crop_scale,
            ratio=self.config.crop_ratio,
        )

    def _photometric(self, rng: np.random.Generator) -> Photometric:
        """Colour jitter as torchvision's `ColorJitter` (a random order), greyscale, blur, JPEG."""
        strength = self.config.jitter_strength
        if self.config.name == "whole" and not strength:
            return Photometric()
        jitter = _draw_jitter(rng, strength) if rng.random() < 0.8 else {}
        if self.config.name == "whole":
            return Photometric(**jitter)
        greyscale = bool(rng.random() < 0.2)
        blur = float(rng.uniform(*self._blur)) if rng.random() < 0.5 else 0.0
        jpeg = None
        if self.config.name == "advanced" and rng.random() < 0.2:
            jpeg = int(rng.integers(0, 101))
        return Photometric(greyscale=greyscale, blur=blur, jpeg=jpeg, **jitter)


def _draw_jitter(rng: np.random.Generator, strength: float) -> dict[str, Any]:
    light, contrast, colour, turn = (value * strength for value in JITTER)
    order = tuple(rng.permutation(4).tolist())
    factors = [float(rng.uniform(max(0.0, 1 - v), 1 + v)) for v in (light, contrast, colour)]
    return {
        "jitter_order": order,
        "brightness": factors[0],
        "contrast": factors[1],
        "saturation": factors[2],
        "hue": float(rng.uniform(-turn, turn)),
    }
