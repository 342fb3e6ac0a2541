"""The example of docs/vector_database.md, run against the database itself, in this process."""

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sscd.data.descriptors import Descriptors, Origin
from sscd.errors import UserError
from sscd.formats.parquet.files import open_parquet
from sscd.formats.parquet.writing import PartInfo, encode_part, part_name
from sscd.search.knn import nearest
from sscd.search.options import Metric
from tests.conftest import REPOSITORY

SIZES = (300, 0, 250)


@pytest.fixture(scope="module")
def example() -> ModuleType:
    pytest.importorskip("lancedb")
    path = REPOSITORY / "docs" / "vector_database.py"
    spec = importlib.util.spec_from_file_location("vector_database", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unit(count: int, *, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 256)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.fixture
def references(tmp_path: Path) -> Path:
    (tmp_path / "references").mkdir()
    for number, size in enumerate(SIZES):
        info = PartInfo(Origin("abc", "288 square"), 256, number, len(SIZES), "photos", size, 0)
        ids = [f"R{number}-{row}" for row in range(size)]
        part = encode_part(ids, unit(size, seed=number), info)
        (tmp_path / "references" / part_name(number, len(SIZES))).write_bytes(part)
    return tmp_path / "references"


def queries(references: Path, *, model: str = "abc") -> Descriptors:
    """Twenty that are near a reference, and five that are near none."""
    near = np.asarray(open_parquet(references).vectors)[::27][:20]
    rows = np.concatenate([near + 0.02 * unit(20, seed=7), unit(5, seed=8)])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Descriptors([f"Q{row}" for row in range(25)], rows, Origin(model, "288 square"))


@pytest.mark.parametrize(("metric", "own"), [("l2", "l2"), ("dot", "inner_product")])
def test_its_neighbours_are_those_of_the_exact_search(
    metric: str, own: Metric, example: ModuleType, references: Path, tmp_path: Path
) -> None:
    table = example.load(str(references), str(tmp_path / "database"))
    assert table.count_rows() == sum(SIZES)
    asked, known = queries(references), open_parquet(references)
    found = list(example.search(asked, table, k=10, metric=metric))
    expected = nearest(asked.vectors, known.vectors, k=10, metric=own, device="cpu")
    assert len(found) == 250
    for row, (query, reference, score) in enumerate(found):
        place = divmod(row, 10)
        assert (query, reference) == (f"Q{place[0]}", known.ids[expected.indices[place]])
        assert score == pytest.approx(expected.scores[place], abs=1e-5)


def test_loading_again_replaces_the_table(
    example: ModuleType, references: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        table = example.load(str(references), str(tmp_path / "database"))
        assert table.count_rows() == sum(SIZES)
    one = example.load(str(references / part_name(2, 3)), str(tmp_path / "database"))
    assert one.count_rows() == SIZES[2]


def test_half_a_description_is_not_loaded(
    example: ModuleType, references: Path, tmp_path: Path
) -> None:
    (references / part_name(0, 3)).unlink()
    with pytest.raises(UserError, match="1 of 3 partitions are missing"):
        example.load(str(references), str(tmp_path / "database"))
    assert not (tmp_path / "database").exists()


def test_another_model_is_refused(example: ModuleType, references: Path, tmp_path: Path) -> None:
    table = example.load(str(references), str(tmp_path / "database"))
    with pytest.raises(SystemExit, match="the table is of model abc, not xyz"):
        next(example.search(queries(references, model="xyz"), table))


def test_the_script(
    example: ModuleType, references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = str(tmp_path / "database")
    example.main(["load", str(references), database])
    assert capsys.readouterr().out == f"{database}: 550 descriptors\n"
    example.main(["search", str(references), database, "--k", "3", "--floor=-1e-6"])
    lines = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [line["query_id"] for line in lines] == list(open_parquet(references).ids)
    assert all(line["query_id"] == line["reference_id"] for line in lines)
