"""Where the model in the box is looked for, and the real one, where this version has it."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sscd import Descriptor
from sscd.data.procedural import draw_picture
from sscd.errors import UserError
from sscd.models.box import model
from sscd.models.box.facts import read_facts
from sscd.models.box.page import box_page
from sscd.models.packages.card import NOT_STATED
from sscd.models.packages.safetensors_file import read_info, write_package
from tests.models.packages.packed import small_card, small_trained

FOLDER = Path(model.__file__).parent
REAL = FOLDER / "model.safetensors"
real = pytest.mark.skipif(not REAL.is_file(), reason="this version has no model in the box")


@pytest.fixture(autouse=True)
def _none_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(model.VARIABLE, raising=False)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    trained = small_trained()
    write_package(tmp_path / "tiny.safetensors", trained, small_card(trained))
    return tmp_path / "tiny.safetensors"


def test_a_file_in_the_package(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_in_package", lambda: packed)
    assert model.box_is_there()
    assert model.load_box().name == "small"
    loaded = Descriptor.load(device="cpu")
    assert (loaded.threshold, loaded.dims) == (0.75, 8)


def test_a_file_that_is_named(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(model.VARIABLE, str(packed))
    assert model.box_is_there()
    assert model.load_box().name == "small"
    assert str(packed) in model.box_name()
    os.environ[model.VARIABLE] = f"{packed}.none"
    with pytest.raises(UserError, match=r"SSCD_MODEL=.*none is not a file; name one, or unset"):
        model.load_box()


def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_in_package", lambda: tmp_path / "none")
    assert not model.box_is_there()
    with pytest.raises(UserError, match="no model in the box; give --checkpoint"):
        Descriptor.load()


@pytest.fixture(scope="module")
def box() -> Descriptor:
    return Descriptor.load(REAL, device="cpu")


@real
def test_the_real_one_is_small_and_says_what_it_is() -> None:
    assert REAL.stat().st_size <= 24_000_000
    info = read_info(REAL)
    card = info.card
    assert card.weights == "float16"
    assert card.licence != NOT_STATED
    assert card.recipe
    assert card.threshold is not None
    assert card.stricter is not None
    assert (card.threshold.precision, card.stricter.precision) == (0.9, 0.99)
    assert card.threshold.score <= card.stricter.score < 0
    assert info.calibration is not None
    assert info.calibration["origin"]["model"] == card.fingerprint


@real
def test_its_card_is_complete_and_as_the_code_writes_it() -> None:
    facts = read_facts(FOLDER / "facts.json")
    page = box_page(read_info(REAL).card, facts, size=REAL.stat().st_size)
    assert (FOLDER / "card.md").read_text(encoding="utf-8") == page
    for word in ("CC BY 4.0", "Perona", "doi.org", "people", "90% precision", "99% precision"):
        assert word in page, word
    own = [one for one in facts.systems if one.ahead is None]
    others = [one for one in facts.systems if one not in own]
    assert facts.systems[0] in own
    words = {word for one in others for word in one.name.split()}
    assert {"GIST", "PDQ", "dHash", "pHash", "aHash", "wHash"} <= words
    for one in others:
        assert one.low is not None
        assert one.low > 0, f"it is shipped, and not surely better than {one.name}"
        assert min(mine.micro_ap for mine in own) > one.micro_ap


@real
def test_it_finds_mirror_images_and_crops(box: Descriptor) -> None:
    pictures = [draw_picture(seed=5, index=index, size=200) for index in range(24)]
    flipped = [ImageOps.mirror(picture) for picture in pictures]
    cropped = [_crop(picture) for picture in pictures]
    known = box.describe(pictures)
    for edited in (flipped, cropped):
        nearest = box.similarity(box.describe(edited), known).argmax(axis=1)
        assert np.mean(nearest == np.arange(24)) >= 0.9


@real
def test_it_does_not_take_everything_for_a_copy(box: Descriptor) -> None:
    rows = box.describe([draw_picture(seed=6, index=index, size=200) for index in range(24)])
    wrong = box.is_copy(rows, rows) & ~np.eye(24, dtype=bool)
    assert wrong.mean() < 0.05


def _crop(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((width // 10, height // 10, width * 9 // 10, height * 9 // 10))
