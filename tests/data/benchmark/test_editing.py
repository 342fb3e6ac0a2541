"""Queries of a benchmark."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.chain import EditTable, edit_picture
from sscd.augment.edits.table import load_table, without
from sscd.augment.seeds import view_rng
from sscd.data.benchmark import editing
from sscd.data.benchmark.editing import edit_queries
from sscd.data.benchmark.extras import ExtraPictures
from sscd.data.benchmark.journal import Journal
from sscd.data.benchmark.plan import PlannedQuery
from sscd.data.decode import load_image
from sscd.errors import UserError

QUERIES = [
    PlannedQuery("Q00000", "dev", "0.png", "R000003", "dev"),
    PlannedQuery("Q00001", "dev", "1.png", "", "dev"),
    PlannedQuery("Q00002", "test", "2.png", "R000001", "by_hand"),
    PlannedQuery("Q00003", "test", "3.png", "", "test"),
]


@pytest.fixture(scope="module")
def tables() -> dict[str, EditTable]:
    plain = without(load_table("phase1"), ["onto_background"])
    return {"dev": plain, "test": load_table("phase2"), "by_hand": load_table("validation")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(6):
        values = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(values).resize((96, 72), Image.Resampling.BICUBIC)
        picture.save(tmp_path / f"{number}.png")
    return tmp_path


def _edit(root: Path, tables: dict[str, EditTable], out: str = "out", **changes: Any) -> Any:
    journal = Journal(root / out, photos=root)
    journal.begin({})
    settings: dict[str, Any] = {"max_side": 80, "seed": 5, "workers": 1, **changes}
    extras = ExtraPictures(root, ("4.png", "5.png"), max_side=80)
    return edit_queries(
        QUERIES, root=root, journal=journal, tables=tables, extras=extras, **settings
    )


def test_records_say_what_was_done(root: Path, tables: dict[str, EditTable]) -> None:
    records = _edit(root, tables)
    assert [record["query_id"] for record in records] == [query.id for query in QUERIES]
    for query, record in zip(QUERIES, records, strict=True):
        image = load_image(root / "out" / query.file)
        assert list(image.size) == record["size"]
        assert max(image.size) <= 80
        assert record["source_id"] == query.source
        assert record["reference_id"] == query.reference
        assert record["split"] == query.split
        assert record["table"] == tables[query.table].name
        assert 0 < record["surviving_area"] <= 1
        names = [edit["name"] for edit in record["edits"]]
        assert set(names) <= set(tables[query.table].operations)
        assert all(set(edit) == {"name", "parameters"} for edit in record["edits"])


def test_edits_follow_from_seed_phase_and_source(root: Path, tables: dict[str, EditTable]) -> None:
    records = _edit(root, tables)
    picture = load_image(root / "2.png")
    picture.thumbnail((80, 80), Image.Resampling.LANCZOS)
    rng = view_rng(seed=5, epoch=2, image_id="2.png", view=0)
    expected = edit_picture(picture, tables["by_hand"], rng)
    names = [edit.name for edit in expected.operations]
    assert [edit["name"] for edit in records[2]["edits"]] == names
    expected.image.thumbnail((80, 80), Image.Resampling.LANCZOS)
    written = np.asarray(load_image(root / "out" / QUERIES[2].file), dtype=int)
    assert np.abs(written - np.asarray(expected.image, dtype=int)).mean() < 6
    assert _edit(root, tables, "other", seed=6) != records


def test_what_is_finished_is_not_edited_again(
    root: Path, tables: dict[str, EditTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _edit(root, tables)
    pictures = {query.id: (root / "out" / query.file).read_bytes() for query in QUERIES}
    edited: list[str] = []
    original = editing._edit

    def counting(query: PlannedQuery, **settings: Any) -> str:
        edited.append(query.id)
        return original(query, **settings)

    monkeypatch.setattr(editing, "_edit", counting)
    (root / "out" / QUERIES[1].file).unlink()  # its record is there, the picture is not
    journal = root / "out" / ".partial" / "edits.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:3]))  # the last record is missing
    assert _edit(root, tables) == whole
    assert edited == ["Q00001", "Q00003"]
    assert {q.id: (root / "out" / q.file).read_bytes() for q in QUERIES} == pictures
    assert len([json.loads(line) for line in journal.read_text().splitlines()]) == 4


def test_a_source_that_is_gone_is_named(root: Path, tables: dict[str, EditTable]) -> None:
    (root / "3.png").unlink()
    with pytest.raises(UserError, match=r"cannot read .*3\.png: no such file"):
        _edit(root, tables)
    assert not (root / "out" / QUERIES[3].file).exists()
