import json

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.operation import Operation
from sscd.augment.edits.strokes import Drawing, Handwriting

HANDWRITING = Handwriting(
    lines=(1, 3),
    height=(0.05, 0.12),
    pen=(0.15, 0.3),
    length=(0.4, 0.95),
    slant=(0.0, 0.5),
    angle=(-15.0, 15.0),
    opacity=(0.8, 1.0),
)
DRAWING = Drawing(marks=(1, 4), size=(0.25, 0.7), pen=(0.01, 0.045), opacity=(0.6, 1.0))
STROKES: list[Operation] = [HANDWRITING, DRAWING]


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("operation", STROKES)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (213, 160), (1024, 768)])
def test_strokes_work_on_any_picture(operation: Operation, size: tuple[int, int]) -> None:
    canvas = Canvas.of(noise(*size))
    before = np.array(canvas.image)
    for seed in range(6):
        edited, parameters = operation(canvas, np.random.default_rng(seed), None)
        assert edited.image.size == edited.cells.size == size
        assert edited.image.mode == "RGB"
        assert edited.surviving_area > 0.7
        assert json.loads(json.dumps(parameters)) == parameters
    np.testing.assert_array_equal(np.asarray(canvas.image), before)


@pytest.mark.parametrize("operation", STROKES)
def test_strokes_hide_what_they_cover_and_nothing_else(operation: Operation) -> None:
    canvas = Canvas.of(Image.new("RGB", (213, 160), (128, 128, 129)))
    for seed in range(12):
        edited, _ = operation(canvas, np.random.default_rng(seed), None)
        same = (np.asarray(edited.image) == (128, 128, 129)).all(axis=2)
        cells, original = np.asarray(edited.cells), np.asarray(canvas.cells)
        hidden = cells == 0
        assert 0.0005 < hidden.mean() < 0.45
        assert not (hidden & same).any()
        np.testing.assert_array_equal(cells[~hidden], original[~hidden])


@pytest.mark.parametrize("operation", STROKES)
def test_strokes_follow_from_the_random_stream(operation: Operation) -> None:
    canvas = Canvas.of(noise(100, 80))
    first, again, other = (
        operation(canvas, np.random.default_rng(seed), None) for seed in (5, 5, 6)
    )
    assert first[0].image.tobytes() == again[0].image.tobytes()
    assert first[1] == again[1]
    assert first[0].image.tobytes() != other[0].image.tobytes()


@pytest.mark.parametrize("operation", STROKES)
def test_strokes_look_alike_at_any_resolution(operation: Operation) -> None:
    small, large = (
        Canvas.of(Image.new("RGB", size, (128, 128, 129))) for size in ((213, 160), (1065, 800))
    )
    for seed in range(6):
        shares = [
            float((np.asarray(operation(canvas, np.random.default_rng(seed), None)[0].cells)
                   == 0).mean())
            for canvas in (small, large)
        ]  # fmt: skip
        assert shares[0] == pytest.approx(shares[1], rel=0.25, abs=0.004)


def test_more_lines_leave_more_ink() -> None:
    canvas = Canvas.of(Image.new("RGB", (213, 160), (128, 128, 129)))
    shares = []
    for lines in (1, 3):
        fields = {**vars(HANDWRITING), "lines": (lines, lines), "angle": (0.0, 0.0)}
        seeds = range(10)
        edited = [Handwriting(**fields)(canvas, np.random.default_rng(s), None) for s in seeds]
        shares.append(np.mean([(np.asarray(one.cells) == 0).mean() for one, _ in edited]))
        assert all(parameters["lines"] == lines for _, parameters in edited)
    assert shares[1] > 2 * shares[0]


def test_every_kind_of_mark_is_drawn() -> None:
    canvas = Canvas.of(Image.new("RGB", (64, 48)))
    kinds: set[str] = set()
    for seed in range(30):
        _, parameters = DRAWING(canvas, np.random.default_rng(seed), None)
        marks = parameters["marks"]
        assert isinstance(marks, list)
        assert 1 <= len(marks) <= 4
        kinds |= {mark["kind"] for mark in marks}
    assert kinds == {"curve", "arrow", "scribble", "circle", "cross"}
