"""Secondary pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.data.benchmark import extras as module
from sscd.data.benchmark.extras import ExtraPictures
from sscd.data.edited_copies import read_within
from sscd.errors import UserError


@pytest.fixture
def extras(tmp_path: Path) -> ExtraPictures:
    for number in range(4):
        Image.new("RGB", (80, 40), (number, 0, 0)).save(tmp_path / f"{number}.png")
    return ExtraPictures(tmp_path, tuple(f"{n}.png" for n in range(4)), max_side=20)


def test_all_are_picked_by_the_generator_alone(extras: ExtraPictures) -> None:
    picked = []
    for _ in range(2):
        rng = np.random.default_rng(3)
        picked.append([extras.pick(rng) for _ in range(40)])
    assert [name for name, _ in picked[0]] == [name for name, _ in picked[1]]
    assert {name for name, _ in picked[0]} == set(extras.names)
    for name, image in picked[0]:
        assert image.size == (20, 10)
        assert image.getpixel((5, 5)) == (int(name[0]), 0, 0)


def test_a_picture_that_is_changed_does_not_change_the_next(extras: ExtraPictures) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        name, image = extras.pick(rng)
        assert image.getpixel((0, 0)) == (int(name[0]), 0, 0)
        image.paste((9, 9, 9), (0, 0, 20, 10))


def test_decoded_pictures_are_kept(extras: ExtraPictures, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []

    def counting(path: Path, max_side: int) -> Image.Image:
        decoded.append(path.name)
        return read_within(path, max_side)

    monkeypatch.setattr(module, "read_within", counting)
    rng = np.random.default_rng(0)
    for _ in range(30):
        extras.pick(rng)
    assert len(decoded) == len(set(decoded)) <= 4


def test_one_that_is_gone_is_named(tmp_path: Path) -> None:
    extras = ExtraPictures(tmp_path, ("gone.png",), max_side=20)
    with pytest.raises(UserError, match=r"gone\.png: no such file"):
        extras.pick(np.random.default_rng(0))
