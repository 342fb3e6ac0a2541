"""The recipes as they are usually written: torchvision's transforms and AugLy, on PIL pictures.

One picture at a time, the whole of it at each step, to a normalised float tensor. The parameters
are those of `sscd.augment.recipes`; the random numbers are torch's and NumPy's global ones.
"""

import random
from collections.abc import Callable

from PIL import Image
from torch import Tensor

from sscd.augment.augly import assets
from sscd.augment.augly import ops as augly_ops
from sscd.augment.overlay import EMOJI_OPACITY, EMOJI_SIZE, TEXT_OPACITY, TEXT_SIZE
from sscd.augment.recipes import JITTER, SIMCLR_BLUR, STRONG_BLUR, RecipeName

Step = Callable[[Image.Image], Image.Image]


def plain_pipeline(name: RecipeName, *, size: int) -> Callable[[Image.Image], Tensor]:
    """A picture → one view (3, size, size) float32."""
    import augly.image as augly
    from torchvision import transforms

    crop, flip = transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()
    low, high = SIMCLR_BLUR if name == "simclr" else STRONG_BLUR

    def blur(image: Image.Image) -> Image.Image:
        blurred: Image.Image = augly.blur(image, radius=random.uniform(low, high))
        return blurred

    def jpeg(image: Image.Image) -> Image.Image:
        encoded: Image.Image = augly.encoding_quality(image, quality=random.randint(0, 100))
        return encoded

    pixels = [
        _sometimes(0.8, transforms.ColorJitter(*JITTER)),
        transforms.RandomGrayscale(0.2),
        _sometimes(0.5, blur),
    ]
    tensor = [
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    if name != "advanced":
        composed = [crop, flip, *pixels, *tensor]
    else:
        before = [flip, *_disturbances()]
        composed = [*before, crop, *pixels, _sometimes(0.2, jpeg), *tensor]
    pipeline: Callable[[Image.Image], Tensor] = transforms.Compose(composed)
    return pipeline


def _disturbances() -> list[Step]:
    import augly.image as augly

    def text(image: Image.Image) -> Image.Image:
        written: Image.Image = augly.overlay_text(
            image,
            text=[random.randrange(10_000) for _ in range(random.randint(1, 25))],
            font_size=random.uniform(*TEXT_SIZE),
            opacity=random.uniform(*TEXT_OPACITY),
            color=(random.randrange(256), random.randrange(256), random.randrange(256)),
            x_pos=random.uniform(0, 0.6),
            y_pos=random.uniform(0, 0.8),
        )
        return written

    def emoji(image: Image.Image) -> Image.Image:
        height = random.uniform(*EMOJI_SIZE)
        return augly_ops.overlay_emoji(
            image,
            emoji=random.choice(assets.emoji_names()),
            size=height,
            opacity=random.uniform(*EMOJI_OPACITY),
            x=random.uniform(0, 1 - height),
            y=random.uniform(0, 1 - height),
        )

    return [
        _sometimes(0.05, lambda image: image.rotate(random.choice((90, 180, 270)), expand=True)),
        _sometimes(0.1, text),
        _sometimes(0.2, emoji),
        _sometimes(
            0.05, lambda image: image.rotate(random.randint(0, 359), Image.Resampling.BILINEAR)
        ),
    ]


def _sometimes(probability: float, step: Step) -> Step:
    return lambda image: step(image) if random.random() < probability else image
