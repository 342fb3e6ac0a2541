"""What holds for every operation of every shipped table."""

import json
import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.catalogue import CATALOGUE
from sscd.augment.edits.operation import Operation, SecondaryPictures
from sscd.augment.edits.table import load_table
from sscd.configs import shipped_edits

TABLES = sorted(shipped_edits())
# The whole picture in a canvas of its own shape, or a page around it.
LARGE = {"rotation", "into_screenshot", "air_gap", "onto_drawn_background"}


def _operations() -> Iterator[tuple[str, str, Operation]]:
    met = set()
    for table in TABLES:
        for name, operation in load_table(table).operations.items():
            if (name, operation) not in met:  # tables share some
                yield table, name, operation
            met.add((name, operation))


CASES = [pytest.param(op, name, id=f"{table}-{name}") for table, name, op in _operations()]


def test_every_operation_is_in_a_table_and_has_a_docstring() -> None:
    used = {name for _, name, _ in _operations()}
    assert used == set(CATALOGUE)
    assert all(kind.__doc__ and kind.__call__.__doc__ for kind in CATALOGUE.values())


@pytest.mark.parametrize(("operation", "name"), CASES)
def test_it_repeats_and_leaves_its_canvas(
    operation: Operation, name: str, secondary: SecondaryPictures
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    photo = Image.fromarray(noise)
    canvas = Canvas.of(photo)
    before = (photo.tobytes(), canvas.cells.tobytes())
    changed = 0
    for i in range(4):
        state = pickle.dumps(np.random.get_state())  # noqa: NPY002
        once, parameters = operation(canvas, np.random.default_rng(i), secondary)
        again, same = operation(canvas, np.random.default_rng(i), secondary)
        assert pickle.dumps(np.random.get_state()) == state  # noqa: NPY002
        assert once.image.tobytes() == again.image.tobytes()
        assert once.cells.tobytes() == again.cells.tobytes()
        assert parameters == same
        assert json.loads(json.dumps(parameters)) == parameters
        assert (once.image.mode, once.cells.mode) == ("RGB", "I")
        assert once.image.size == once.cells.size
        assert once.surviving_area > 0.1
        changed += (once.image.size, once.image.tobytes()) != (photo.size, before[0])
    assert changed >= 3
    assert (photo.tobytes(), canvas.cells.tobytes()) == before


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (1, 70), (7, 2)])
@pytest.mark.parametrize(("operation", "name"), CASES)
def test_pictures_of_any_shape_stay_pictures(
    operation: Operation, name: str, shape: tuple[int, int], secondary: SecondaryPictures
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (shape[1], shape[0], 3), dtype=np.uint8)
    canvas = Canvas.of(Image.fromarray(noise))
    for i in range(6):
        edited, _ = operation(canvas, np.random.default_rng(i), secondary)
        assert min(edited.image.size) >= 1
        assert edited.image.size == edited.cells.size
        assert edited.image.width * edited.image.height <= 12 * max(shape) ** 2 + 64


@pytest.mark.parametrize(("operation", "name"), CASES)
def test_no_operation_blows_a_photograph_up(
    operation: Operation, name: str, places: Image.Image, secondary: SecondaryPictures
) -> None:
    most = {"onto_drawn_background": 4.5, "padding": 2.6}.get(name, 3.1 if name in LARGE else 2.4)
    for i in range(15):
        edited, _ = operation(Canvas.of(places), np.random.default_rng(i), secondary)
        assert edited.image.width * edited.image.height <= most * 160 * 120


@pytest.mark.parametrize(("operation", "name"), CASES)
def test_cells_are_where_the_pixels_are(
    operation: Operation, name: str, places: Image.Image, secondary: SecondaryPictures
) -> None:
    recoloring = {
        *("brightness", "saturation", "contrast", "color_jitter", "greyscale", "color_filter"),
        *("palette_dithering", "edge_enhance", "pixel_shuffling", "random_noise", "legofy"),
        *("jpeg_quality", "pixelization", "air_gap"),
    }
    for i in range(8):
        edited, _ = operation(Canvas.of(places), np.random.default_rng(i), secondary)
        cells = np.asarray(edited.cells)
        seen = cells > 0
        if name in recoloring - {"air_gap"}:
            assert (cells == np.asarray(Canvas.of(places).cells)).all()
        if name in recoloring:
            continue
        shown = np.asarray(edited.image).astype(float)[seen]
        row, column = np.divmod(cells[seen] - 1, 32)
        off = np.abs(shown[:, :2] - 255 * (np.stack([column, row], axis=1) + 0.5) / 32).max(1)
        assert (off <= 16).mean() > FAITHFUL.get(name, 0.97), name


# Translucent text, emoji and stripes tint what they leave; drawn lines and blur reach around.
FAITHFUL = {
    "text_overlay": 0.6,
    "emoji_overlay": 0.6,
    "stripes": 0.6,
    "handwriting": 0.9,
    "paste_salient": 0.9,
}
