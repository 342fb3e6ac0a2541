"""Where the views of a mode come from."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image

from benchmarks.training.options import Options
from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.data.loading.training_views import TrainingViews
from sscd.data.loading.view_batch import ViewBatch
from sscd.data.procedural import draw_picture
from sscd.data.records import ImageSet, Pictures

DRAWN_SIDE = 500


class ResidentBatches:
    """The same batch again and again, on the device already.

    Args:
        options: Sizes.
        device: Where it lies.
        steps: How often it is given.
    """

    def __init__(self, options: Options, device: torch.device, *, steps: int) -> None:
        pictures = options.views_a_device // 2
        shape = (pictures, 2, 3, options.image_size, options.image_size)
        numbers = torch.arange(pictures, device=device)
        self.steps = steps
        self._batch = ViewBatch(
            views=torch.randint(0, 256, shape, dtype=torch.uint8, device=device),
            contents=numbers[:, None, None].repeat(1, 2, 1),
            unreadable=(),
        )

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[ViewBatch]:
        for _ in range(self.steps):
            yield self._batch


@dataclass(frozen=True)
class DecodedPictures:
    """Pictures in memory, as the bytes of uncompressed files; as much of a set as views need."""

    images: ImageSet
    files: dict[Path, bytes]

    @classmethod
    def of(cls, images: ImageSet) -> "DecodedPictures":
        """Decode a set, a file that occurs several times once."""
        files: dict[Path, bytes] = {}
        for index in range(len(images)):
            path = images.path(index)
            if path not in files:
                written = io.BytesIO()
                with Image.open(path) as picture:
                    picture.convert("RGB").save(written, "PPM")
                files[path] = written.getvalue()
        return cls(images, files)

    def __len__(self) -> int:
        return len(self.images)

    def path(self, index: int) -> Path:
        """What it is called in messages."""
        return self.images.path(index)

    def source(self, index: int) -> bytes:
        """The uncompressed file."""
        return self.files[self.path(index)]

    def id(self, index: int) -> str:
        """What its views follow from."""
        return self.images.id(index)


def views_of(
    images: ImageSet | DecodedPictures, options: Options, *, finished: bool
) -> TrainingViews:
    """The published recipe's views."""
    recipe = Recipe(RecipeConfig("advanced"), size=options.image_size)
    return TrainingViews(cast(Pictures, images), recipe, views=2, seed=0, finished=finished)


def jpeg_files(options: Options, scratch: Path, *, count: int) -> ImageSet:
    """JPEG files, of the given folder or drawn ones of 500 px, again and again up to `count`."""
    once = _files(options, scratch)
    return once.subset(np.arange(count) % len(once))


def _files(options: Options, scratch: Path) -> ImageSet:
    if options.root is not None:
        found = sorted(
            path.relative_to(options.root).as_posix()
            for path in options.root.rglob("*")
            if path.suffix.lower() in (".jpg", ".jpeg")
        )
        if not found:
            raise SystemExit(f"{options.root} holds no JPEG files; give another --root")
        chosen = np.linspace(0, len(found) - 1, min(options.pictures, len(found))).astype(int)
        names = [found[index] for index in chosen]
        return ImageSet.from_names("files", root=options.root, names=names)
    names = [f"{index:04d}.jpg" for index in range(options.pictures)]
    for index, name in enumerate(names):
        if not (scratch / name).exists():
            draw_picture(seed=0, index=index, size=DRAWN_SIDE).save(scratch / name, quality=90)
    return ImageSet.from_names("drawn", root=scratch, names=names)
