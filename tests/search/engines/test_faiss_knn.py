import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.search.engines import faiss_knn as engines_faiss
from sscd.search.engines import streams
from sscd.search.engines import torch_knn as engines_torch
from sscd.search.engines.faiss_knn import faiss_gpus
from sscd.search.knn import Device, Engine, nearest

faiss = pytest.importorskip("faiss")


class FakeGpus:
    """Two GPUs that compute on the CPU and note who asked for how many neighbours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[int, int]] = []
        self._both = threading.Barrier(2, timeout=20)
        self._met: set[int] = set()
        monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
        monkeypatch.setattr(faiss, "get_num_gpus", lambda: 2, raising=False)
        monkeypatch.setattr(faiss, "knn_gpu", self._knn, raising=False)

    def _knn(
        self, resources: object, queries: Any, references: Any, k: int, *, metric: int, device: int
    ) -> Any:
        assert type(resources) is object
        if device not in self._met:
            self._met.add(device)
            self._both.wait()  # both take part
        self.asked.append((device, k))
        return faiss.knn(queries, references, k, metric=metric)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> FakeGpus:
    return FakeGpus(monkeypatch)


def vectors(count: int, *, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)


@pytest.mark.parametrize("engine", ["auto", "faiss"])
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_gpus_share_the_blocks(
    gpus: FakeGpus, engine: Engine, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BLOCK", 50)
    queries, references = vectors(30, seed=0), vectors(310, seed=1)
    got = nearest(queries, references, k=20, device=device, engine=engine)
    expected = nearest(queries, references, k=20, device="cpu", engine="torch")
    assert np.array_equal(got.indices, expected.indices)
    np.testing.assert_allclose(got.scores, expected.scores, atol=1e-4)
    assert {device for device, _ in gpus.asked} == {0, 1}
    assert sorted(k for _, k in gpus.asked) == [10, *[20] * 6]  # the last block has ten


@pytest.mark.parametrize("engine", ["auto", "faiss"])
def test_more_than_2048_neighbours_fall_to_torch(
    gpus: FakeGpus, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    original = engines_torch.nearest_torch

    def note(*args: Any, **options: Any) -> Any:
        used.append(options["k"])
        return original(*args, **options)

    monkeypatch.setattr(engines_torch, "nearest_torch", note)
    got = nearest(vectors(3, seed=2), vectors(2100, seed=3), k=2049, engine=engine)
    assert got.indices.shape == (3, 2049)
    assert used == [2049]
    assert gpus.asked == []


def test_the_cpu_is_torchs_unless_asked_otherwise(
    gpus: FakeGpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []

    def noting(name: str, original: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            used.append(name)
            return original(*args, **options)

        return call

    for module, name in ((engines_torch, "nearest_torch"), (engines_faiss, "nearest_faiss")):
        monkeypatch.setattr(module, name, noting(name, getattr(module, name)))
    queries, references = vectors(3, seed=4), vectors(9, seed=5)
    nearest(queries, references, k=2, device="cpu", engine="auto")
    nearest(queries, references, k=2, device="cpu", engine="faiss")
    assert used == ["nearest_torch", "nearest_faiss"]
    assert gpus.asked == []


def test_counts_gpus() -> None:
    has_kernels = hasattr(faiss, "StandardGpuResources")
    assert faiss_gpus() == (faiss.get_num_gpus() if has_kernels else 0)
