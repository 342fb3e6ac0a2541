"""What is publicly known of the published weights (Pizzi et al., CVPR 2022, and its code)."""

from pathlib import Path
from typing import Any

from sscd.augment.inference import InferenceSize
from sscd.models.threshold import MatchThreshold

# "We recommend preprocessing images for inference either resizing the small edge to 288 or …"
INFERENCE = InferenceSize(288, "short_side")

# File name → training set, augmentations, mixup; from the table of pretrained models.
_MODELS = {
    "sscd_disc_blur": ("DISC21", "strong_blur", False),
    "sscd_disc_advanced": ("DISC21", "advanced", False),
    "sscd_disc_mixup": ("DISC21", "advanced", True),
    "sscd_disc_large": ("DISC21", "advanced", True),
    "sscd_imagenet_blur": ("ImageNet", "strong_blur", False),
    "sscd_imagenet_advanced": ("ImageNet", "advanced", False),
    "sscd_imagenet_mixup": ("ImageNet", "advanced", True),
}


def recipe_of(path: Path) -> dict[str, Any]:
    """How a published network was trained, as far as its file's name says which one it is.

    The files themselves say nothing: a renamed one has only its source.
    """
    recipe: dict[str, Any] = {
        "source": "published SSCD weights (Pizzi et al., CVPR 2022)",
        "file": path.name,
    }
    if known := _MODELS.get(_model(path)):
        training_set, views, mixup = known
        recipe |= {"training_set": training_set, "views": {"name": views}, "mixup": mixup}
    return recipe


def threshold_of(path: Path) -> MatchThreshold | None:
    """The published advice on the similarity of copies; only `sscd_disc_mixup` has one.

    "DISC image pairs with embedding cosine similarity greater than 0.75 are copies with 90%
    precision."
    """
    if _model(path) != "sscd_disc_mixup":
        return None
    return MatchThreshold(
        score=2 * 0.75 - 2,
        precision=0.9,
        recall=None,
        references=None,
        preprocessing=f"{INFERENCE.size} {INFERENCE.mode}",
        source="the published advice for sscd_disc_mixup on DISC21",
    )


def _model(path: Path) -> str:
    return path.name.partition(".")[0]
