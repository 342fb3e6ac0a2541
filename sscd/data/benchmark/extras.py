"""Secondary pictures: what edits lay under and beside the source."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sscd.data.decode import UnreadableImage
from sscd.data.edited_copies import read_within
from sscd.errors import UserError

# Decoded pictures that a process keeps: 75 MB at a long side of 1024.
_KEPT = 32


@dataclass(frozen=True)
class ExtraPictures:
    """Pictures of a folder that are no references (DISC21 paper, section 4.2).

    Attributes:
        root: The folder.
        names: Their paths relative to it, which are also their ids.
        max_side: Longer pictures are shrunk to this long side, in pixels.
    """

    root: Path
    names: tuple[str, ...]
    max_side: int

    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        """Draw one: its id and an RGB picture of its own.

        Raises:
            UserError: It cannot be read any more.
        """
        name = self.names[int(rng.integers(len(self.names)))]
        try:
            return name, _read(self.root / name, self.max_side).copy()
        except UnreadableImage as error:
            raise UserError(f"cannot read {error}; put it back and run again") from error


@functools.lru_cache(maxsize=_KEPT)
def _read(path: Path, max_side: int) -> Image.Image:
    return read_within(path, max_side)
