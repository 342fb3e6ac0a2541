"""The text files of a benchmark."""

import csv
import json
from pathlib import Path

import pytest

from sscd.data.benchmark.lists import check_sources, summarise, write_lists
from sscd.data.benchmark.plan import Plan, PlannedPicture, PlannedQuery
from sscd.data.ground_truth import read_ground_truth
from sscd.errors import UserError

PLAN = Plan(
    pictures=(
        PlannedPicture("R000000", "references", 'a, "b"\n.jpg'),
        PlannedPicture("R000001", "references", "caf\udce9/é.jpg"),  # a byte that is not UTF-8
        PlannedPicture("T000000", "train", "c.jpg"),
    ),
    queries=(
        PlannedQuery("Q00000", "dev", "d.jpg", "", "dev"),
        PlannedQuery("Q00001", "dev", "x.jpg", "R000001", "dev"),
        PlannedQuery("Q00002", "test", "y.jpg", "R000000", "test"),
    ),
    extras=(),
)


def _record(
    query: PlannedQuery, area: float, edits: list[str], dropped: list[str]
) -> dict[str, object]:
    return {
        "query_id": query.id,
        "split": query.split,
        "reference_id": query.reference,
        "table": query.table,
        "edits": [{"name": name, "parameters": {}} for name in edits],
        "surviving_area": area,
        "dropped": dropped,
    }


RECORDS = [
    _record(PLAN.queries[0], 0.1, ["blur"], ["crop"]),
    _record(PLAN.queries[1], 0.5, ["blur", "crop"], []),
    _record(PLAN.queries[2], 0.75, [], ["crop", "legofy"]),
]


def test_files_are_those_of_disc21(tmp_path: Path) -> None:
    write_lists(PLAN, RECORDS, out=tmp_path)
    truth = read_ground_truth(tmp_path / "dev_queries_groundtruth.csv")
    assert truth == PLAN.truth("dev")
    assert truth.listed == frozenset({"Q00000", "Q00001"})
    text = (tmp_path / "test_queries_groundtruth.csv").read_text()
    assert text == "query_id,reference_id\nQ00002,R000000\n"
    lists = {p.name: p.read_text() for p in (tmp_path / "list_files").iterdir()}
    assert lists == {
        "references": "R000000\nR000001\n",
        "train": "T000000\n",
        "dev_queries": "Q00000\nQ00001\n",
        "test_queries": "Q00002\n",
    }
    lines = (tmp_path / "edits.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == RECORDS


def test_any_file_name_reads_back_from_the_sources(tmp_path: Path) -> None:
    write_lists(PLAN, RECORDS, out=tmp_path)
    path = tmp_path / "sources.csv"
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["id", "source"], *([p.id, p.source] for p in PLAN.pictures)]


def test_lists_of_other_pictures_are_noticed(tmp_path: Path) -> None:
    check_sources(PLAN, out=tmp_path, photos=Path("photos"))  # none are there
    write_lists(PLAN, RECORDS, out=tmp_path)
    check_sources(PLAN, out=tmp_path, photos=Path("photos"))
    other = Plan((*PLAN.pictures[:2], PlannedPicture("T000000", "train", "d.jpg")), (), ())
    with pytest.raises(UserError, match="the pictures of photos changed since"):
        check_sources(other, out=tmp_path, photos=Path("photos"))


def test_no_training_pictures_make_no_list(tmp_path: Path) -> None:
    write_lists(Plan(PLAN.pictures[:2], PLAN.queries, ()), RECORDS, out=tmp_path)
    assert not (tmp_path / "list_files" / "train").exists()


def test_figures_of_a_phase() -> None:
    assert summarise(RECORDS, "dev") == {
        "copies": 1,
        "distractors": 1,
        "tables": {"dev": 2},
        "mean_surviving_area": 0.5,
        "operations": {"blur": 2, "crop": 1},
        "dropped": {"crop": 1},
    }
    assert summarise(RECORDS, "test")["dropped"] == {"crop": 1, "legofy": 1}
