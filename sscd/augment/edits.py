"""Edited copies to validate on: a fixed recipe in the spirit of DISC21's automatic edits.

One to three different operations, chained in a random order (a crop first), each with parameters
that leave the source recognisable to a person (DISC21 paper, section 4.2). The recipe belongs to
the measurement: change it and figures can no longer be compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.augly_ops import encode_jpeg
from sscd.augment.backgrounds import draw_background
from sscd.augment.overlay import EmojiOverlay, TextOverlay

CHAIN_LENGTHS = {1: 0.2, 2: 0.4, 3: 0.4}
"""How often a chain has so many operations."""

_COLOR_FACTORS = {"brightness": (0.5, 1.5), "contrast": (0.5, 2.0), "saturation": (0.2, 2.5)}

Parameters = Mapping[str, object]


@dataclass(frozen=True)
class AppliedEdit:
    """One operation as it was applied; the parameters are plain JSON values."""

    name: str
    parameters: Parameters


@dataclass(frozen=True)
class EditedPicture:
    """An edited copy, RGB, and its operations in the order in which they were applied."""

    image: Image.Image
    operations: tuple[AppliedEdit, ...]


def edit_query(image: Image.Image, rng: np.random.Generator) -> EditedPicture:
    """Make an edited copy of a picture.

    Args:
        image: RGB picture of any size. It is left as it is.
        rng: The copy's own random stream.

    Returns:
        The copy, up to about five times the picture's side, and what was done.

    Raises:
        ValueError: The picture is not RGB.
    """
    if image.mode != "RGB":
        raise ValueError(f"image.mode got {image.mode}; expected RGB")
    count = int(rng.choice(list(CHAIN_LENGTHS), p=list(CHAIN_LENGTHS.values())))
    weights = np.array([weight for _, weight in _EDITS.values()])
    chosen = rng.choice(list(_EDITS), size=count, replace=False, p=weights / weights.sum())
    applied = []
    # A crop comes first: after a border or a background it could leave nothing of the source.
    for name in sorted(chosen.tolist(), key=lambda name: name != "crop"):
        image, parameters = _EDITS[name][0](image, rng)
        applied.append(AppliedEdit(name, parameters))
    return EditedPicture(image, tuple(applied))


Edited = tuple[Image.Image, Parameters]


def _text(image: Image.Image, rng: np.random.Generator) -> Edited:
    overlay = TextOverlay.draw(rng, size=(0.1, 0.3), opacity=(0.5, 1.0))
    return overlay.apply(image), asdict(overlay)


def _emoji(image: Image.Image, rng: np.random.Generator) -> Edited:
    overlay = EmojiOverlay.draw(rng, size=(0.2, 0.6), opacity=(0.7, 1.0))
    return overlay.apply(image), asdict(overlay)


def _onto_background(image: Image.Image, rng: np.random.Generator) -> Edited:
    fraction = float(rng.uniform(0.5, 0.8))
    aspect = float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))
    width = round(image.width / fraction * aspect**0.5)
    height = round(image.height / fraction / aspect**0.5)
    width, height = max(width, image.width), max(height, image.height)
    background, description = draw_background(rng, width=width, height=height)
    x, y = int(rng.integers(width - image.width + 1)), int(rng.integers(height - image.height + 1))
    parameters = {"width": width, "height": height, "x": x, "y": y, "background": description}
    return operations.paste_onto(image, background, x=x, y=y), parameters


def _crop(image: Image.Image, rng: np.random.Generator) -> Edited:
    box = operations.random_resized_crop_box(
        rng, width=image.width, height=image.height, scale=(0.3, 0.9), ratio=(0.5, 2.0)
    )
    return image.crop(box), {"box": box}


def _blur(image: Image.Image, rng: np.random.Generator) -> Edited:
    radius = float(rng.uniform(0.01, 0.025)) * min(image.size)
    return operations.gaussian_blur(image, radius=radius), {"radius": radius}


def _color(image: Image.Image, rng: np.random.Generator) -> Edited:
    steps: dict[str, Callable[[Image.Image, float], Image.Image]] = {
        "brightness": lambda picture, factor: operations.brightness(picture, factor=factor),
        "contrast": lambda picture, factor: operations.contrast(picture, factor=factor),
        "saturation": lambda picture, factor: operations.saturation(picture, factor=factor),
    }
    parameters = {}
    for name in rng.permutation(list(steps)).tolist():
        factor = float(rng.uniform(*_COLOR_FACTORS[name]))
        image = steps[name](image, factor)
        parameters[name] = factor
    return image, parameters


def _greyscale(image: Image.Image, rng: np.random.Generator) -> Edited:  # noqa: ARG001
    return operations.greyscale(image), {}


def _jpeg(image: Image.Image, rng: np.random.Generator) -> Edited:
    quality = int(rng.integers(5, 51))
    return encode_jpeg(image, quality=quality), {"quality": quality}


def _rotate_right(image: Image.Image, rng: np.random.Generator) -> Edited:
    degrees = 90 * int(rng.integers(1, 4))
    return operations.rotate_right_angle(image, degrees=degrees), {"degrees": degrees}


def _rotate_free(image: Image.Image, rng: np.random.Generator) -> Edited:
    degrees = float(rng.uniform(5, 45)) * (1 if rng.random() < 0.5 else -1)
    fill = _plain_color(rng)
    rotated = operations.rotate_filled(image, degrees=degrees, fill=fill)
    return rotated, {"degrees": degrees, "fill": fill}


def _flip(image: Image.Image, rng: np.random.Generator) -> Edited:  # noqa: ARG001
    return operations.horizontal_flip(image), {}


def _pad(image: Image.Image, rng: np.random.Generator) -> Edited:
    left, right = (round(share * image.width) for share in rng.uniform(0, 0.3, 2))
    top, bottom = (round(share * image.height) for share in rng.uniform(0, 0.3, 2))
    border, color = (left, top, right, bottom), _plain_color(rng)
    return operations.pad(image, border=border, color=color), {"border": border, "color": color}


def _aspect_ratio(image: Image.Image, rng: np.random.Generator) -> Edited:
    factor = float(rng.uniform(1.3, 2.0))
    factor = factor if rng.random() < 0.5 else 1 / factor
    return operations.change_aspect_ratio(image, factor=factor), {"factor": factor}


def _plain_color(rng: np.random.Generator) -> operations.Color:
    """Black, white or any colour, a third each: what fills borders in practice."""
    kind = int(rng.integers(3))
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return ((0, 0, 0), (255, 255, 255), (red, green, blue))[kind]


_EDITS: dict[str, tuple[Callable[[Image.Image, np.random.Generator], Edited], float]] = {
    "text_overlay": (_text, 1.0),
    "emoji_overlay": (_emoji, 1.0),
    "onto_background": (_onto_background, 1.0),
    "crop": (_crop, 1.5),
    "blur": (_blur, 0.7),
    "color_jitter": (_color, 1.0),
    "greyscale": (_greyscale, 0.5),
    "jpeg_quality": (_jpeg, 0.7),
    "rotate_right_angle": (_rotate_right, 0.5),
    "rotate_free": (_rotate_free, 0.7),
    "horizontal_flip": (_flip, 0.7),
    "padding": (_pad, 0.7),
    "aspect_ratio": (_aspect_ratio, 0.7),
}
