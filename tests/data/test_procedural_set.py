from pathlib import Path

import numpy as np
import pytest

from sscd.data import procedural_set
from sscd.data.decode import load_image
from sscd.data.disc21 import is_disc21
from sscd.data.procedural import draw_picture
from sscd.data.procedural_set import procedural_collection
from sscd.data.records import Collection
from sscd.errors import UserError


def _collection(cache: Path, *, seed: int = 0, workers: int = 1) -> Collection:
    return procedural_collection(
        cache,
        seed=seed,
        size=48,
        training=5,
        references=4,
        distractors=2,
        copies=3,
        workers=workers,
    )


def _contents(collection: Collection) -> dict[str, bytes]:
    root = collection.references.root.parent
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_a_collection_stands_in_disc21s_layout(tmp_path: Path) -> None:
    collection = _collection(tmp_path)
    assert collection.training.ids == [f"T{number:06d}" for number in range(5)]
    assert collection.references.ids == [f"R{number:06d}" for number in range(4)]
    assert collection.queries.ids == [f"Q{number:05d}" for number in range(5)]
    assert len(collection.truth.pairs) == 3
    assert collection.truth.listed == frozenset(collection.queries.ids)
    assert collection.left_out == ()
    assert is_disc21(collection.references.root.parent)
    assert load_image(collection.training.path(0)).size == (48, 48)


def test_pictures_are_those_of_the_seed_and_no_two_alike(tmp_path: Path) -> None:
    collection = _collection(tmp_path)
    drawn = draw_picture(seed=0, index=5, size=48)  # references follow the training pictures
    kept = load_image(collection.references.path(0))
    error = np.asarray(drawn, dtype=float) - np.asarray(kept, dtype=float)
    assert np.abs(error).mean() < 4  # JPEG at quality 95
    pictures = [n for n in _contents(collection).items() if n[0].endswith(".jpg")]
    assert len({data for _, data in pictures}) == len(pictures) == 5 + 4 + 2 + 5


def test_the_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    one, two = _collection(tmp_path / "a"), _collection(tmp_path / "b", workers=2)
    assert _contents(one) == _contents(two)


def test_it_is_drawn_once_and_other_requests_stand_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _collection(tmp_path)
    other = _collection(tmp_path, seed=1)
    assert first.training.path(0) != other.training.path(0)
    monkeypatch.delattr(procedural_set, "parallel_map")
    monkeypatch.delattr(procedural_set, "render_queries")
    assert _collection(tmp_path).training.path(0) == first.training.path(0)


def test_interrupted_drawing_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _contents(_collection(tmp_path / "whole"))
    original = procedural_set._draw
    drawn: list[str] = []

    def interrupted(drawing: procedural_set._Drawing, *, seed: int, size: int) -> None:
        if len(drawn) == 6:
            drawn.append("")
            raise KeyboardInterrupt
        drawn.append(drawing.path.name)
        original(drawing, seed=seed, size=size)

    monkeypatch.setattr(procedural_set, "_draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _collection(tmp_path / "parts")
    assert _contents(_collection(tmp_path / "parts")) == whole
    assert len(drawn) == 11 + 1
    assert len(set(drawn)) == 11 + 1


def test_a_lost_or_empty_picture_is_drawn_again(tmp_path: Path) -> None:
    collection = _collection(tmp_path)
    before = _contents(collection)
    collection.training.path(2).unlink()
    collection.references.path(1).write_bytes(b"")
    assert _contents(_collection(tmp_path)) == before


def test_an_interruption_between_drawing_and_moving_is_healed(tmp_path: Path) -> None:
    collection = _collection(tmp_path)
    before = _contents(collection)
    root = collection.queries.root
    for path in root.iterdir():
        path.unlink()
    root.rmdir()
    assert _contents(_collection(tmp_path)) == before


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file"):
        _collection(tmp_path / "file")


@pytest.mark.parametrize(("references", "copies", "size"), [(2, 3, 32), (0, 0, 32), (4, 3, 0)])
def test_numbers_out_of_range_are_an_error(
    tmp_path: Path, references: int, copies: int, size: int
) -> None:
    with pytest.raises(ValueError, match="expected a reference for each copy"):
        procedural_collection(
            tmp_path,
            seed=0,
            size=size,
            training=1,
            references=references,
            distractors=1,
            copies=copies,
        )
