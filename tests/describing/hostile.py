"""Pictures that hold up, or fail, whoever reads a certain one of them."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from sscd.data.pictures.sources import PictureSource
from sscd.data.records import ImageSet
from sscd.errors import UserError


@dataclass(frozen=True, eq=False)
class Pausing(ImageSet):
    """Whoever first reads picture `at` says so in the file `marker`, and waits to be killed."""

    at: int = 0
    marker: str = ""

    def source(self, index: int) -> Path:
        if index == self.at and not Path(self.marker).exists():
            import ray

            node = ray.get_runtime_context().get_node_id()
            Path(self.marker).write_text(f"{os.getpid()} {node}")
            time.sleep(600)
        return super().source(index)


@dataclass(frozen=True, eq=False)
class Refusing(ImageSet):
    """Picture 13 says that the user must do something."""

    def source(self, index: int) -> Path:
        if index == 13:
            raise UserError("the cache is full; make room")
        return super().source(index)


def pausing(source: PictureSource, *, at: int, marker: Path) -> PictureSource:
    images = _images(source)
    pictures = Pausing(
        images.name, images.root, images.names, images.keeps_extension, at, str(marker)
    )
    return PictureSource(pictures, "folder", source.location)


def refusing(source: PictureSource) -> PictureSource:
    images = _images(source)
    pictures = Refusing(images.name, images.root, images.names, images.keeps_extension)
    return PictureSource(pictures, "folder", source.location)


def _images(source: PictureSource) -> ImageSet:
    if not isinstance(source.pictures, ImageSet):
        raise TypeError(f"got {type(source.pictures)}; expected a folder")
    return source.pictures
