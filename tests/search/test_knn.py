import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.search.engines import streams, sweep
from sscd.search.knn import nearest
from sscd.vectors import Stacked, Vectors

Engine = Literal["faiss", "torch"]
Metric = Literal["l2", "inner_product"]
ENGINES: list[Engine] = ["faiss", "torch"]
METRICS: list[Metric] = ["l2", "inner_product"]


def vectors(count: int, *, seed: int, dims: int = 16) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)


def all_scores(
    queries: NDArray[np.float32], references: NDArray[np.float32], metric: Metric
) -> NDArray[np.float64]:
    """Every score by the definition, in float64."""
    q, r = queries.astype(np.float64), references.astype(np.float64)
    if metric == "inner_product":
        return np.asarray(q @ r.T)
    return np.asarray(-np.square(q[:, None] - r[None]).sum(axis=2))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.param
    if chosen == "faiss":
        pytest.importorskip("faiss")
    return chosen


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("count", [3, 70])  # FAISS computes few and many queries differently
def test_equals_the_definition(engine: Engine, metric: Metric, count: int) -> None:
    queries, references = vectors(count, seed=0), vectors(500, seed=1)
    got = nearest(queries, references, k=7, metric=metric, device="cpu", engine=engine)
    expected = all_scores(queries, references, metric)
    order = np.argsort(-expected, axis=1)[:, :7]
    assert got.scores.dtype == np.float32
    assert got.indices.dtype == np.int64
    assert np.array_equal(got.indices, order)
    np.testing.assert_allclose(got.scores, np.take_along_axis(expected, order, 1), atol=1e-4)


def test_blocks_join_seamlessly(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    queries, references = vectors(23, seed=2), vectors(101, seed=3)
    whole = nearest(queries, references, k=12, device="cpu", engine=engine)
    monkeypatch.setattr(streams, "BLOCK", 8)  # smaller than k, and it does not divide
    monkeypatch.setitem(sweep.TILE, "cpu", (5, 3))
    blocked = nearest(queries, references, k=12, device="cpu", engine=engine)
    assert np.array_equal(whole.indices, blocked.indices)
    np.testing.assert_allclose(whole.scores, blocked.scores, atol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_engines_agree_to_1e_5_on_vectors_of_length_3(engine: Engine, metric: Metric) -> None:
    references = vectors(800, seed=20, dims=256)
    references *= 3 / np.linalg.norm(references, axis=1, keepdims=True)
    queries = np.concatenate([references[:50] + 1e-3, -references[50:100]])
    got = nearest(queries, references, k=20, metric=metric, device="cpu", engine=engine)
    expected = all_scores(queries, references, metric)
    best = -np.sort(-expected, axis=1)[:, :20]
    np.testing.assert_allclose(got.scores, best, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(expected, got.indices, 1), best, atol=1e-5)


def test_reads_files_and_stacks_in_blocks(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py = pytest.importorskip("h5py")
    queries, references = vectors(9, seed=21), vectors(100, seed=22)
    expected = nearest(queries, references, k=5, device="cpu", engine=engine)
    monkeypatch.setattr(streams, "BLOCK", 16)
    np.save(tmp_path / "r.npy", references)
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file["reference"] = references
        sources: list[Vectors] = [
            np.load(tmp_path / "r.npy", mmap_mode="r"),
            file["reference"],
            Stacked([references[:37], file["reference"][37:60], references[60:]]),
            Recorded(references),
        ]
        for source in sources:
            got = nearest(Stacked([queries]), source, k=5, device="cpu", engine=engine)
            assert np.array_equal(got.indices, expected.indices)
    read = sources[-1]
    assert isinstance(read, Recorded)
    assert max(read.read) <= 16
    assert sum(read.read) == 100


class Recorded:
    """References that note how many rows were read at once."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self.rows, self.shape = rows, rows.shape
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        self.read.append(len(self.rows[rows]))
        return self.rows[rows]


@pytest.mark.parametrize("k", [1, 40, 200, 900])
def test_any_k(engine: Engine, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    queries, references = vectors(11, seed=23), vectors(1000, seed=24)
    monkeypatch.setitem(sweep.TILE, "cpu", (4, 320))
    got = nearest(queries, references, k=k, metric="l2", device="cpu", engine=engine)
    expected = all_scores(queries, references, "l2")
    best = -np.sort(-expected, axis=1)[:, :k]
    np.testing.assert_allclose(got.scores, best, atol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(expected, got.indices, 1), best, atol=1e-4)
    assert all(len(set(row)) == k for row in got.indices.tolist())


def test_l2_is_minus_the_squared_distance(engine: Engine) -> None:
    queries = np.array([[0.0, 0.0]], np.float32)
    references = np.array([[3.0, 4.0], [1.0, 0.0]], np.float32)
    got = nearest(queries, references, k=2, device="cpu", engine=engine)
    assert got.scores.tolist() == [[-1.0, -25.0]]
    assert got.indices.tolist() == [[1, 0]]


def test_scores_fall_and_never_pass_zero(engine: Engine) -> None:
    same = np.repeat(vectors(4, seed=4), 10, axis=0) * 100
    got = nearest(same, same, k=15, device="cpu", engine=engine)
    assert (np.diff(got.scores, axis=1) <= 0).all()
    assert (got.scores <= 0).all()


def test_k_is_cut_to_the_references(engine: Engine) -> None:
    got = nearest(vectors(2, seed=5), vectors(3, seed=6), k=10, device="cpu", engine=engine)
    assert got.scores.shape == got.indices.shape == (2, 3)
    assert sorted(got.indices[0].tolist()) == [0, 1, 2]


def test_takes_float16_read_only_and_strided_input(engine: Engine) -> None:
    queries, references = vectors(5, seed=7), vectors(40, seed=8)
    expected = nearest(queries[::-1].copy(), references, k=3, device="cpu", engine=engine)
    references.flags.writeable = False
    got = nearest(queries[::-1], references, k=3, device="cpu", engine=engine)
    assert np.array_equal(got.indices, expected.indices)
    half = nearest(queries.astype(np.float16), references, k=3, device="cpu", engine=engine)
    assert half.scores.dtype == np.float32


def test_no_queries(engine: Engine) -> None:
    got = nearest(vectors(0, seed=9), vectors(3, seed=9), k=2, device="cpu", engine=engine)
    assert got.scores.shape == got.indices.shape == (0, 2)


def test_without_faiss_torch_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, references = vectors(30, seed=10), vectors(60, seed=11)
    expected = nearest(queries, references, k=4, device="cpu", engine="torch")
    monkeypatch.setitem(sys.modules, "faiss", None)
    got = nearest(queries, references, k=4, device="cpu")
    assert np.array_equal(got.indices, expected.indices)
    with pytest.raises(ImportError):
        nearest(queries, references, k=4, device="cpu", engine="faiss")


def test_neither_autocast_nor_the_matmul_setting_reaches_the_search() -> None:
    queries, references = vectors(30, seed=12), vectors(60, seed=13)
    expected = nearest(queries, references, k=4, device="cpu", engine="torch")
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = nearest(queries, references, k=4, device="cpu", engine="torch")
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert np.array_equal(got.scores, expected.scores)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_what_is_not_finite(engine: Engine, bad: float) -> None:
    references = vectors(9, seed=14)
    references[5, 2] = bad
    with pytest.raises(ValueError, match="row 5 of references"):
        nearest(vectors(2, seed=15), references, k=1, engine=engine)


def test_refuses_shapes_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="one D"):
        nearest(vectors(2, seed=0, dims=3), vectors(2, seed=0, dims=4), k=1)
    with pytest.raises(ValueError, match=r"\(n, D\)"):
        nearest(vectors(2, seed=0)[0], vectors(2, seed=0), k=1)
    with pytest.raises(ValueError, match="k=0"):
        nearest(vectors(2, seed=0), vectors(2, seed=0), k=0)
    with pytest.raises(ValueError, match="0 references"):
        nearest(vectors(2, seed=0), vectors(0, seed=0), k=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is present")
def test_a_gpu_that_is_not_there_is_said(engine: Engine) -> None:
    with pytest.raises(UserError, match="device cuda"):
        nearest(vectors(2, seed=0), vectors(2, seed=0), k=1, device="cuda", engine=engine)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_equals_cpu(engine: Engine, metric: Metric) -> None:
    queries, references = vectors(70, seed=16), vectors(5000, seed=17)
    if engine == "faiss" and pytest.importorskip("faiss").get_num_gpus() == 0:
        pytest.skip("this FAISS sees no GPU")
    cpu = nearest(queries, references, k=10, metric=metric, device="cpu", engine=engine)
    gpu = nearest(queries, references, k=10, metric=metric, device="cuda", engine=engine)
    np.testing.assert_allclose(gpu.scores, cpu.scores, atol=1e-4)
    assert (gpu.indices == cpu.indices).mean() > 0.999
