"""Descriptors of a set of pictures by a function that needs no network."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.parallel import parallel_map
from sscd.data.records import ImageSet
from sscd.evaluation.protocol import Descriptors

SimpleDescriptor = Callable[[Image], NDArray[np.float32]]


def describe_simply(images: ImageSet, function: SimpleDescriptor, *, workers: int) -> Descriptors:
    """Describe a set in worker processes; unreadable pictures are left out.

    Args:
        images: What to describe.
        function: A module-level function, picture → (D,).
        workers: Processes.
    """
    paths = [images.path(index) for index in range(len(images))]
    rows = list(
        parallel_map(
            partial(_describe_one, function),
            paths,
            workers=workers,
            description=f"comparing on {images.name}",
        )
    )
    read = [index for index, row in enumerate(rows) if row is not None]
    vectors = np.array([row for row in rows if row is not None], dtype=np.float32)
    return Descriptors([images.id(index) for index in read], vectors)


def _describe_one(function: SimpleDescriptor, path: Path) -> NDArray[np.float32] | None:
    try:
        return function(load_image(path))
    except UnreadableImage:
        return None
