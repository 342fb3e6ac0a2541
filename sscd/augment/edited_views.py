"""The recipe `edits`: views by chains of DISC21's edits, and crops of them.

The edits are those of `make-disc` (Douze et al., "The 2021 Image Similarity Dataset and Challenge",
arXiv 2106.09672, section 4.2 and appendix A), on a picture not much larger than the view.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.chain import draw_names
from sscd.augment.edits.light_canvas import LightCanvas, coarse, cropped
from sscd.augment.edits.operation import SecondaryPictures
from sscd.augment.edits_config import EditsConfig
from sscd.augment.operations import Box
from sscd.augment.photometric import Photometric

CropOrder = Literal["first", "last", "none"]

# Crops of an edited picture, and chains, that are tried until enough of the source is seen.
_CROPS, _CHAINS = 4, 3


@dataclass(frozen=True)
class EditedPlan:
    """What was drawn for one edited view before a pixel is touched.

    Attributes:
        picture: Width and height, in pixels, of the picture that this was drawn for.
        operations: What is done, in order; none for a view that is cropped alone.
        crop: When the view is cropped.
        box: The crop (left, top, right, bottom) in pixels of the picture where it comes first,
            else the whole picture.
        seed: Of what the operations draw, and of a crop that comes last.
        edits: How it is done.
    """

    picture: tuple[int, int]
    operations: tuple[str, ...]
    crop: CropOrder
    box: Box
    seed: int
    edits: "Edits" = field(repr=False)

    @property
    def photometric(self) -> Photometric:
        """Nothing: the edits have changed colours already."""
        return Photometric()

    def reduction(self, size: int) -> float:
        """By how much the picture may be shrunk before it is edited to a view of `size`."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top) / (self.edits.config.detail * size)

    def apply(
        self, picture: Image.Image, *, size: int, others: SecondaryPictures | None
    ) -> Image.Image:
        """Return the view (size, size).

        Args:
            picture: RGB; the picture this was drawn for, or one decoded at a reduced scale.
            size: Side of the view, pixels.
            others: Pictures to lay under and beside it, for tables that ask for them.
        """
        return self.edits.view(self, picture, size=size, others=others)

    def as_json(self) -> dict[str, Any]:
        """The plan in plain values."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if name != "edits"}


class Edits:
    """Plans and makes edited views.

    Args:
        config: The settings.
        crop_scale: Range of the crop's area over the picture's.
        crop_ratio: Range of the crop's width over its height.

    Raises:
        UserError: There is no such table, or it is wrong.
    """

    def __init__(
        self,
        config: EditsConfig,
        *,
        crop_scale: tuple[float, float],
        crop_ratio: tuple[float, float],
    ) -> None:
        self.config = config
        self.table = config.load()
        self.crop_scale = crop_scale
        self.crop_ratio = crop_ratio

    def plan(self, picture: tuple[int, int], rng: np.random.Generator) -> EditedPlan:
        """Draw one view of a picture of (width, height) pixels."""
        edited = rng.random() < self.config.share
        names = tuple(draw_names(self.table, rng)) if edited else ()
        crop: CropOrder = "first"  # of an unedited view it is the one and only
        if edited and rng.random() >= self.config.crop:
            crop = "none"
        elif edited and rng.random() >= self.config.crop_first:
            crop = "last"
        box = self._box(picture, rng) if crop == "first" else (0, 0, *picture)
        seed = int(rng.integers(1 << 63))
        return EditedPlan(picture, names, crop, box, seed, self)

    def view(
        self,
        plan: EditedPlan,
        picture: Image.Image,
        *,
        size: int,
        others: SecondaryPictures | None,
    ) -> Image.Image:
        """Make the view that a plan tells of.

        Raises:
            ValueError: The table asks for other pictures and gets none.
        """
        source = LightCanvas.of(self._source(plan, picture, size))
        rng = np.random.default_rng(plan.seed)
        for _ in range(_CHAINS if plan.operations else 0):
            edited: Canvas = source
            for name in plan.operations:
                edited, _ = self.table.operations[name](edited, rng, others)
            for _ in range(_CROPS if plan.crop == "last" else 1):
                view = edited
                if plan.crop == "last":
                    view = cropped(edited, self._box(edited.image.size, rng))
                if self._shows(coarse(view), source):
                    return _resized(view.image, size)
        return _resized(source.image, size)

    def _source(self, plan: EditedPlan, picture: Image.Image, size: int) -> Image.Image:
        """The picture, or the crop that comes first, as large as it is edited."""
        across, down = (now / then for now, then in zip(picture.size, plan.picture, strict=True))
        left, top, right, bottom = plan.box
        scale = min(1.0, 1.0 / plan.reduction(size))
        whole = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
        box = (
            *(left * across, top * down),
            *(min(right * across, picture.width), min(bottom * down, picture.height)),
        )
        if box == (0, 0, *whole) and picture.size == whole:
            return picture
        return picture.resize(whole, Image.Resampling.BILINEAR, box=box)

    def _shows(self, view: Canvas, source: Canvas) -> bool:
        """Whether so much of the source is seen in a view as the table asks for."""
        if (
            view.surviving_area < self.table.minimum_surviving_area
            or view.share_of_picture < self.table.minimum_share_of_picture
        ):
            return False
        contrast = view.visible_contrast
        return (
            contrast >= self.table.minimum_contrast
            or contrast >= coarse(source).visible_contrast / 2
        )

    def _box(self, size: tuple[int, int], rng: np.random.Generator) -> Box:
        return operations.random_resized_crop_box(
            rng, width=size[0], height=size[1], scale=self.crop_scale, ratio=self.crop_ratio
        )


def _resized(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.BILINEAR)
