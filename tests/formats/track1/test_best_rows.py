import numpy as np
import pytest

from sscd.formats.track1.best_rows import BestRows, falling_order


def naive(rows: list[tuple[bytes, bytes, float]], limit: int) -> list[tuple[bytes, bytes, float]]:
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))[:limit]


@pytest.mark.parametrize("seed", range(40))
def test_the_best_are_those_of_a_sort(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, limit = int(rng.integers(1, 120)), int(rng.integers(1, 40))
    pairs = rng.permutation([(q, r) for q in range(12) for r in range(12)])[:count]
    queries = np.array([b"Q%d" % q for q, _ in pairs])
    references = np.array([b"R%d" % r for _, r in pairs])
    scores = rng.integers(0, 5, size=count).astype(np.float32)
    best = BestRows(limit)
    for places in np.array_split(np.arange(count), rng.integers(1, 10)):
        best.add(queries[places], references[places], scores[places])
    kept = best.rows()
    rows = list(zip(*(column.tolist() for column in (queries, references, scores)), strict=True))
    got = list(zip(*(column.tolist() for column in kept), strict=True))
    assert best.seen == count
    assert got == [row for row in rows if row in naive(rows, limit)]  # in their order
    order = falling_order(*kept)
    assert [got[i] for i in order] == naive(rows, limit)


def test_memory_is_bounded() -> None:
    best = BestRows(10)
    for start in range(0, 1000, 5):
        ids = np.array([b"%d" % i for i in range(start, start + 5)])
        best.add(ids, ids, np.arange(start, start + 5, dtype=np.float64))
        assert sum(len(part[2]) for part in best._parts) <= 25
    assert best.rows()[2].tolist() == list(range(990, 1000))


def test_nothing_and_wrong_limits() -> None:
    assert [len(column) for column in BestRows(1).rows()] == [0, 0, 0]
    with pytest.raises(ValueError, match="limit 0"):
        BestRows(0)
