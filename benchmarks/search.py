"""Exact search against FAISS on the CPU, on the same descriptors in the same run.

`python -m benchmarks.search --large` searches a file of a million references instead, and gives the
time and the peak memory of the process that does.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sscd.search.knn import nearest
from sscd.search.pairs import best_pairs

Floats = NDArray[np.float32]

QUERIES, REFERENCES, DIMS = 2000, 40_000, 256
PAIRS, NEIGHBOURS, ROUNDS = 20_000, 10, 5
LARGE_QUERIES, LARGE_REFERENCES, LARGE_PAIRS = 1000, 1_000_000, 500_000


def run() -> str:
    """One line a task and a set of descriptors: both times, their ratio, and how results differ."""
    lines = [
        f"exact search, {QUERIES:,} x {REFERENCES:,} x {DIMS}, L2, "
        f"{torch.get_num_threads()} threads, medians of {ROUNDS}:"
    ]
    for name, make in (("random", _random), ("copies", _copies)):
        queries, references = make(QUERIES, REFERENCES)
        lines += [_neighbours(name, queries, references), _pairs(name, queries, references)]
    return "\n".join(lines)


def run_large() -> str:
    """Two lines: a search for neighbours and one for pairs in a file of a million references."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "references.h5"
        _write(path)
        lines = [
            f"{LARGE_QUERIES:,} x {LARGE_REFERENCES:,} x {DIMS} from HDF5 of "
            f"{path.stat().st_size / 2**20:,.0f} MiB, CPU, a process each:"
        ]
        for task in ("neighbours", "pairs"):
            command = [sys.executable, "-m", "benchmarks.search", "--child", task, str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            lines.append(done.stdout.rstrip())
    return "\n".join(lines)


def _write(path: Path) -> None:
    import h5py

    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        data = file.create_dataset("reference", (LARGE_REFERENCES, DIMS), np.float32)
        for start in range(0, LARGE_REFERENCES, 50_000):
            data[start : start + 50_000] = _unit(rng.standard_normal((50_000, DIMS)))


def _search_file(task: str, path: str) -> str:
    """One line on one search, made in a process of its own."""
    import h5py

    queries = _unit(np.random.default_rng(1).standard_normal((LARGE_QUERIES, DIMS)))
    nearest(queries[:1], queries, k=1, device="cpu")
    before = _peak()
    with h5py.File(path) as file:
        start = time.perf_counter()
        if task == "neighbours":
            nearest(queries, file["reference"], k=NEIGHBOURS, device="cpu")
        else:
            best_pairs(queries, file["reference"], limit=LARGE_PAIRS, device="cpu")
        taken = time.perf_counter() - start
    what = f"{NEIGHBOURS} neighbours" if task == "neighbours" else f"{LARGE_PAIRS:,} best pairs"
    return (
        f"  {what:<20} {taken:6.1f} s, peak memory {_peak():,.0f} MiB, "
        f"of which {before:,.0f} MiB before the search"
    )


def _peak() -> float:
    """MiB that this process has held at most (`ru_maxrss` counts its parent in)."""
    status = Path("/proc/self/status").read_text()
    kib: str = status.split("VmHWM:")[1].split()[0]
    return int(kib) / 2**10


def _random(queries: int, references: int) -> tuple[Floats, Floats]:
    """Random unit vectors."""
    rng = np.random.default_rng(0)
    return _unit(rng.standard_normal((queries, DIMS))), _unit(
        rng.standard_normal((references, DIMS))
    )


def _copies(queries: int, references: int) -> tuple[Floats, Floats]:
    """Queries that are references with noise, of all strengths."""
    noise, pool = _random(queries, references)
    strength = np.random.default_rng(1).uniform(0, 3, (queries, 1))
    return _unit(pool[:queries] + strength * noise), pool


def _unit(vectors: NDArray[np.floating[Any]]) -> Floats:
    unit: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _neighbours(name: str, queries: Floats, references: Floats) -> str:
    import faiss

    ours, theirs = _compare(
        lambda: nearest(queries, references, k=NEIGHBOURS, device="cpu"),
        lambda: faiss.knn(queries, references, NEIGHBOURS),
    )
    found = nearest(queries, references, k=NEIGHBOURS, device="cpu")
    distances, indices = faiss.knn(queries, references, NEIGHBOURS)
    return _line(
        f"{NEIGHBOURS} neighbours, {name}",
        ours,
        theirs,
        off=float(np.abs(found.scores + distances).max()),
        same=float((found.indices == indices).mean()),
    )


def _pairs(name: str, queries: Floats, references: Floats) -> str:
    import faiss
    from faiss.contrib import exhaustive_search

    contrib: Any = exhaustive_search

    def theirs() -> Any:
        index = faiss.IndexFlatL2(DIMS)
        index.add(references)
        return contrib.range_search_max_results(
            index,
            contrib.exponential_query_iterator(queries),
            np.inf,  # nothing is known beforehand; the first 32 queries narrow it
            min_results=PAIRS,
            max_results=2 * PAIRS,
            clip_to_min=True,
        )

    def ours() -> Any:
        return best_pairs(queries, references, limit=PAIRS, device="cpu")

    taken = _compare(ours, theirs)
    found, (_, _, distances, indices) = ours(), theirs()
    return _line(
        f"{PAIRS:,} best pairs, {name}",
        *taken,
        off=float(np.abs(found.scores + np.sort(distances)).max()),
        same=len(np.intersect1d(found.reference, indices)) / len(np.unique(indices)),
    )


def _compare(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of each, by turns, so that both meet the same load."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for call, times in zip((ours, theirs), taken, strict=True):
            start = time.perf_counter()
            call()
            if turn:
                times.append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def _line(task: str, ours: float, theirs: float, *, off: float, same: float) -> str:
    return (
        f"  {task:<26} {ours:.3f} s, FAISS {theirs:.3f} s, {theirs / ours:4.1f}x"
        f"  (scores differ by {off:.0e} at most, {same:.2%} the same)"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--child", task, path]:
            print(_search_file(task, path))  # noqa: T201
        case ["--large"]:
            print(run_large())  # noqa: T201
        case _:
            print(run())  # noqa: T201
