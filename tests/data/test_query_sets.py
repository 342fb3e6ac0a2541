import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sscd.data import query_sets
from sscd.data.decode import load_image
from sscd.data.ground_truth import GroundTruth
from sscd.data.listing import scan_images
from sscd.data.query_sets import render_queries
from sscd.data.records import ImageSet
from sscd.errors import UserError


def _pictures(root: Path, count: int, *, first: int = 0) -> ImageSet:
    root.mkdir(exist_ok=True)
    for number in range(first, first + count):
        values = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(values).resize((96, 72))
        picture.save(root / f"{root.name}{number}.png")
    return scan_images(root, name=root.name).images


def _render(
    base: Path,
    *,
    out: str = "out",
    copies: int = 4,
    distractors: int = 3,
    seed: int = 0,
    workers: int = 1,
    max_side: int = 1024,
) -> tuple[ImageSet, GroundTruth]:
    return render_queries(
        scan_images(base / "refs", name="references").images,
        scan_images(base / "others", name="distractors").images,
        copies=copies,
        distractors=distractors,
        seed=seed,
        out=base / out,
        workers=workers,
        max_side=max_side,
    )


@pytest.fixture
def base(tmp_path: Path) -> Path:
    _pictures(tmp_path / "refs", 8)
    _pictures(tmp_path / "others", 6, first=100)
    return tmp_path


def _contents(images: ImageSet) -> dict[str, bytes]:
    root = images.root.parent
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_copies_and_distractors_are_rendered_listed_and_mixed(base: Path) -> None:
    queries, truth = _render(base)
    assert queries.ids == [f"Q{number:05d}" for number in range(7)]
    assert truth.listed == frozenset(queries.ids)
    assert len(truth.pairs) == 4
    references = scan_images(base / "refs", name="references").images.ids
    assert {reference for _, reference in truth.pairs} <= set(references)
    assert sorted(query for query, _ in truth.pairs) != queries.ids[:4]
    for index in range(len(queries)):
        assert min(load_image(queries.path(index)).size) > 8


def test_every_edit_is_recorded(base: Path) -> None:
    queries, truth = _render(base)
    lines = (queries.root.parent / "edits.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["query_id"] for record in records] == queries.ids
    pairs = {(r["query_id"], r["reference_id"]) for r in records if r["reference_id"]}
    assert pairs == truth.pairs
    for record in records:
        assert 1 <= len(record["edits"]) <= 3
        assert all(set(edit) == {"name", "parameters"} for edit in record["edits"])
        kind = "refs" if record["reference_id"] else "others"
        assert record["source_id"].startswith(kind)
    assert len({record["source_id"] for record in records}) == 7


def test_the_number_of_workers_changes_no_byte(base: Path) -> None:
    one, _ = _render(base, out="one", workers=1)
    two, _ = _render(base, out="two", workers=2)
    assert one.root != two.root
    assert _contents(one) == _contents(two)
    assert len(_contents(one)) == 9


def test_another_seed_is_another_set_beside_the_first(base: Path) -> None:
    first, _ = _render(base, seed=0)
    second, _ = _render(base, seed=1)
    assert first.root != second.root
    assert _contents(first) != _contents(second)


def test_an_equal_request_is_read_back(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, truth = _render(base)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("rendered again")

    monkeypatch.setattr(query_sets, "_render_set", never)
    again, truth_again = _render(base)
    assert again.root == first.root
    assert again.ids == first.ids
    assert truth_again == truth
    Image.new("RGB", (30, 30)).save(base / "refs" / "refs0.png")
    with pytest.raises(AssertionError, match="rendered again"):
        _render(base, copies=8)


def test_a_picture_keeps_its_edits_when_others_come(base: Path) -> None:
    def edits() -> dict[str, object]:
        queries, _ = _render(base, copies=4, distractors=0)
        lines = (queries.root.parent / "edits.jsonl").read_text().splitlines()
        return {(r := json.loads(line))["source_id"]: r["edits"] for line in lines}

    before = edits()
    _pictures(base / "refs", 3, first=50)
    after = edits()
    both = before.keys() & after.keys()
    assert both
    assert all(before[source] == after[source] for source in both)


def test_an_interrupted_rendering_leaves_nothing(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = query_sets._render

    def interrupted(query: query_sets._Query, **settings: Any) -> str:
        if query.query_id == "Q00004":
            raise KeyboardInterrupt
        return original(query, **settings)

    monkeypatch.setattr(query_sets, "_render", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _render(base)
    assert list((base / "out").iterdir()) == []


def test_large_pictures_are_shrunk_before_they_are_edited(base: Path) -> None:
    full, _ = _render(base)
    small, _ = _render(base, max_side=24)
    assert full.root != small.root
    for index in range(len(small)):
        larger, smaller = (load_image(s.path(index)).size for s in (full, small))
        assert max(smaller) < max(larger) / 2


def test_too_few_pictures_and_broken_ones_are_one_line(base: Path) -> None:
    with pytest.raises(UserError, match="8 references, fewer than the 9 copies"):
        _render(base, copies=9)
    with pytest.raises(UserError, match="6 distractors, fewer than the 7 distractors"):
        _render(base, distractors=7)
    (base / "refs" / "refs3.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"refs3\.png: empty file; mend or remove it"):
        _render(base, copies=8)
    assert list((base / "out").iterdir()) == []


def test_a_picture_that_is_gone_is_named(base: Path) -> None:
    references = scan_images(base / "refs", name="references").images
    (base / "refs" / "refs3.png").unlink()
    with pytest.raises(UserError, match=r"refs3\.png"):
        render_queries(
            references, references, copies=8, distractors=0, seed=0, out=base / "out", workers=1
        )


def test_a_place_that_cannot_be_written_is_named(base: Path) -> None:
    (base / "file").touch()
    with pytest.raises(UserError, match="file"):
        _render(base, out="file/out")


def test_no_query_at_all_is_an_error(base: Path) -> None:
    with pytest.raises(ValueError, match="expected one query"):
        _render(base, copies=0, distractors=0)
