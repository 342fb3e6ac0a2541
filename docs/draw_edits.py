"""Draw the pictures of docs/edits.md: each operation of the catalogue on one drawn picture.

Run it from the repository after a change to an operation: `python docs/draw_edits.py`.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from sscd.augment.edits.catalogue import CATALOGUE
from sscd.augment.edits.chain import EditTable, edit_picture
from sscd.augment.edits.operation import Operation
from sscd.augment.edits.table import load_table
from sscd.data.procedural import draw_picture

FOLDER = Path(__file__).parent / "images" / "edits"
TABLES = ("phase2", "by_hand", "air_gap", "validation")
SIDE = 180


class _Drawn:
    """Secondary pictures out of nothing but a seed."""

    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        index = int(rng.integers(100, 110))
        return f"drawn {index}", _picture(index)


def _picture(index: int) -> Image.Image:
    return draw_picture(seed=3, index=index, size=320).crop((0, 40, 320, 280))


def _operations() -> dict[str, Operation]:
    """Every operation as the first table that holds it has it."""
    found: dict[str, Operation] = {}
    for name in TABLES:
        found = {**load_table(name).operations, **found}
    return found


def main() -> None:
    """Write one JPEG for each operation, and the source."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    source = _picture(22)
    _save(source, "source")
    operations = _operations()
    for number, name in enumerate(CATALOGUE):
        table = EditTable(
            name=name,
            chain={1: 1.0},
            operations={name: operations[name]},
            weights={name: 1.0},
            minimum_surviving_area=0.4,
        )
        edited = edit_picture(source, table, np.random.default_rng(number), secondary=_Drawn())
        _save(edited.image, name)


def _save(image: Image.Image, name: str) -> None:
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    image.save(FOLDER / f"{name}.jpg", quality=82)


if __name__ == "__main__":
    main()
