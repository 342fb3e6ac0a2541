"""Views a second on one core, of each recipe, against a plain implementation in the same run.

From JPEGs of 500 px (drawn, so that they can be made anywhere) to uint8 views of 224 px, decoding
included; two views of each picture, as in training.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from benchmarks.plain_views import plain_pipeline
from benchmarks.timing import one_thread, seconds
from sscd.augment.photometric import Photometric
from sscd.augment.recipes import Recipe, RecipeConfig, RecipeName
from sscd.augment.tensors import to_uint8_tensor
from sscd.data.decode import open_image
from sscd.data.loading.training_views import TrainingViews
from sscd.data.procedural import draw_picture
from sscd.data.records import ImageSet

SIDE, SIZE, PICTURES, VIEWS = 500, 224, 100, 2
NAMES: tuple[RecipeName, ...] = ("simclr", "strong_blur", "advanced")


def run() -> str:
    """A table of the recipes, and where the time of ADVANCED goes."""
    with tempfile.TemporaryDirectory() as name, one_thread():
        images = _draw(Path(name))
        lines = [
            f"views of {SIZE} px a second on one core, from JPEGs of {SIDE} px, {VIEWS} a picture:",
            f"  {'recipe':<12} {'plain':>7} {'sscd':>7} {'ratio':>6}   workers' half  ratio",
        ]
        lines += [_compare(images, recipe) for recipe in NAMES]
        return "\n".join([*lines, *_profile(images)])


def _draw(folder: Path) -> ImageSet:
    names = [f"{index:03d}.jpg" for index in range(PICTURES)]
    for index, name in enumerate(names):
        draw_picture(seed=0, index=index, size=SIDE).save(folder / name, quality=90)
    return ImageSet.from_names("drawn", root=folder, names=names)


def _compare(images: ImageSet, name: RecipeName) -> str:
    recipe, pipeline = Recipe(RecipeConfig(name), size=SIZE), plain_pipeline(name, size=SIZE)
    whole, half = (TrainingViews(images, recipe, finished=finished) for finished in (True, False))

    def plain(index: int) -> None:
        with Image.open(images.path(index)) as encoded:
            picture = encoded.convert("RGB")
        for _ in range(VIEWS):
            pipeline(picture)

    rates = [_rate(make) for make in (plain, lambda i: whole[0, i], lambda i: half[0, i])]
    return (
        f"  {name:<12} {rates[0]:7.0f} {rates[1]:7.0f} {rates[1] / rates[0]:5.1f}x"
        f" {rates[2]:15.0f} {rates[2] / rates[0]:5.1f}x"
    )


def _rate(make: Callable[[int], object]) -> float:
    """Views a second, the median of a few rounds over all pictures."""

    def once() -> None:
        for index in range(PICTURES):
            make(index)

    return PICTURES * VIEWS / seconds(once, repeats=3)


def _profile(images: ImageSet) -> list[str]:
    """Milliseconds a view in each stage of ADVANCED."""
    recipe = Recipe(RecipeConfig("advanced"), size=SIZE)
    dataset = TrainingViews(images, recipe)
    spent: dict[str, float] = dict.fromkeys(
        ("decode", "overlay, turn, crop", "colour", "blur", "JPEG", "to tensor"), 0.0
    )
    clock = time.perf_counter

    for index in range(PICTURES):
        with open_image(images.path(index)) as encoded:
            plans = dataset.plans(encoded.size, epoch=1, name=images.id(index))
            start = clock()
            picture = encoded.load()
            spent["decode"] += clock() - start
        for plan in plans:
            start = clock()
            view = plan.apply(picture, finished=False)
            spent["overlay, turn, crop"] += clock() - start
            for stage, part in _parts(plan.plan.photometric).items():
                start = clock()
                view = part.apply(view)
                spent[stage] += clock() - start
            start = clock()
            to_uint8_tensor(view)
            spent["to tensor"] += clock() - start
    views = PICTURES * VIEWS
    total = sum(spent.values())
    rows = [f"  {stage:<20} {1e3 * t / views:6.2f}  {t / total:4.0%}" for stage, t in spent.items()]
    return ["ADVANCED by stage, milliseconds a view:", *rows]


def _parts(whole: Photometric) -> dict[str, Photometric]:
    colour = Photometric(
        jitter_order=whole.jitter_order,
        brightness=whole.brightness,
        contrast=whole.contrast,
        saturation=whole.saturation,
        hue=whole.hue,
        greyscale=whole.greyscale,
    )
    blur, jpeg = Photometric(blur=whole.blur), Photometric(jpeg=whole.jpeg)
    return {"colour": colour, "blur": blur, "JPEG": jpeg}
