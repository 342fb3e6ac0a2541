import hashlib
import json
import math
import pickle
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.chain import EditedPicture, EditTable, edit_picture
from sscd.augment.edits.operation import Edited, SecondaryPictures
from sscd.augment.edits.table import load_table

VALIDATION = load_table("validation")


@dataclass(frozen=True)
class Hide:
    """Cover a share of the picture by white, from the left."""

    needs_secondary: ClassVar[bool] = False

    most: float

    def __call__(
        self, canvas: Canvas, rng: np.random.Generator, secondary: SecondaryPictures | None
    ) -> Edited:
        share = float(rng.uniform(0, self.most))
        width, height = canvas.image.size
        mask = Image.new("L", canvas.image.size)
        mask.paste(255, (0, 0, round(share * width), height))
        image = canvas.image.copy()
        image.paste((255, 255, 255), (0, 0), mask)
        return canvas.covered(image, mask), {"share": share}


@dataclass(frozen=True)
class Whiten:
    """Leave nothing but white, in its place."""

    needs_secondary: ClassVar[bool] = False

    def __call__(
        self, canvas: Canvas, rng: np.random.Generator, secondary: SecondaryPictures | None
    ) -> Edited:
        return canvas.recolored(Image.new("RGB", canvas.image.size, (255, 255, 255))), {}


def _table(**changes: object) -> EditTable:
    table = EditTable(
        name="test", chain={1: 1.0}, operations={"hide": Hide(1.0)}, weights={"hide": 1.0}
    )
    return replace(table, **changes)  # type: ignore[arg-type]


def _edited(image: Image.Image, seed: int, table: EditTable = VALIDATION) -> EditedPicture:
    return edit_picture(image, table, np.random.default_rng(seed))


def test_edits_repeat_and_leave_the_source(photo: Image.Image) -> None:
    before = photo.tobytes()
    again_table = pickle.loads(pickle.dumps(VALIDATION))
    for i in range(60):
        a, b = _edited(photo, i), _edited(photo, i, again_table)
        assert a.image.tobytes() == b.image.tobytes()
        assert a.operations == b.operations
        assert a.image.mode == "RGB"
        assert (a.image.size, a.image.tobytes()) != (photo.size, before)
    assert photo.tobytes() == before


def test_chains_of_the_validation_table_have_the_crop_first() -> None:
    lengths: Counter[int] = Counter()
    names: Counter[str] = Counter()
    for i in range(1000):
        chain = [edit.name for edit in _edited(Image.new("RGB", (24, 20)), i).operations]
        lengths[len(chain)] += 1
        names.update(chain)
        assert len(set(chain)) == len(chain)
        assert "crop" not in chain[1:]
    for length, p in VALIDATION.chain.items():
        assert abs(lengths[length] / 1000 - p) < 5 * math.sqrt(p * (1 - p) / 1000)
    assert set(names) == set(VALIDATION.operations)
    assert min(names.values()) > 40


def test_the_validation_table_draws_what_it_always_drew() -> None:
    # Sizes follow from what was drawn, whatever the version that resamples. The digest was taken
    # from the functions that this table replaced.
    digest = hashlib.blake2b(digest_size=8)
    old = {"onto_drawn_background": "onto_background", "rotation": "rotate_free"}
    for i in range(400):
        edited = _edited(Image.new("RGB", (80 + i % 7, 60 + i % 5)), i)
        names = [old.get(edit.name, edit.name) for edit in edited.operations]
        digest.update(json.dumps([names, edited.image.size]).encode())
    assert digest.hexdigest() == "fa5a66a091dfced1"


def test_every_parameter_is_plain_json(photo: Image.Image) -> None:
    for i in range(200):
        for operation in _edited(photo, i).operations:
            line = asdict(operation)
            assert json.loads(json.dumps(line)) == line
            silent = {"greyscale", "horizontal_flip"}
            assert bool(line["parameters"]) == (operation.name not in silent)


def test_a_draw_that_erases_the_source_is_drawn_again(photo: Image.Image) -> None:
    table = _table(minimum_surviving_area=0.6)
    for i in range(30):
        edited = _edited(photo, i, table)
        assert edited.surviving_area >= 0.6
        assert len(edited.operations) + len(edited.dropped) == 1
    assert min(_edited(photo, i, _table()).surviving_area for i in range(30)) < 0.4


def test_a_source_that_would_become_too_small_is_drawn_again() -> None:
    table = replace(VALIDATION, minimum_share_of_picture=0.5, chain={3: 1.0})
    photo = Image.effect_noise((90, 70), 60).convert("RGB")
    shares = [_edited(photo, i, table).share_of_picture for i in range(60)]
    assert min(shares) >= 0.5
    assert min(_edited(photo, i).share_of_picture for i in range(60)) < 0.35


def test_what_always_erases_the_source_is_left_out_and_said(photo: Image.Image) -> None:
    table = _table(
        chain={2: 1.0},
        operations={"hide": Hide(0.1), "whiten": Whiten()},
        weights={"hide": 1.0, "whiten": 1.0},
        minimum_contrast=6.0,
    )
    edited = _edited(photo, 0, table)
    assert edited.dropped == ("whiten",)
    assert [operation.name for operation in edited.operations] == ["hide"]
    assert edited.visible_contrast > 6
    # A flat source cannot be asked for more contrast than it has.
    flat = _edited(Image.new("RGB", (20, 20), (255, 255, 255)), 0, table)
    assert (flat.dropped, flat.visible_contrast) == ((), 0.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 120), (120, 1), (3, 2)])
def test_tiny_pictures_survive(shape: tuple[int, int]) -> None:
    for i in range(80):
        edited = _edited(Image.new("RGB", shape, (9, 99, 199)), i)
        assert min(edited.image.size) >= 1
        assert max(edited.image.size) <= 5.5 * max(shape) + 8


def test_misuse_is_refused(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="expected RGB"):
        _edited(photo.convert("RGBA"), 0)
    with pytest.raises(ValueError, match=r"secondary got None.*table phase1"):
        _edited(photo, 0, load_table("phase1"))
