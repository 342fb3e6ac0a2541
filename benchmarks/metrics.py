"""Micro-AP of 500,000 predictions against a plain pass over the sorted list."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import seconds
from sscd.evaluation.metrics import micro_ap

PREDICTIONS, TRUE_PAIRS, QUERIES, REFERENCES = 500_000, 10_000, 50_000, 1_000_000


def plain(
    query: NDArray[np.int64],
    reference: NDArray[np.int64],
    scores: NDArray[np.float32],
    truth: NDArray[np.int64],
) -> float:
    """The definition in a Python loop."""
    right = set(map(tuple, truth.tolist()))
    rows = [
        (-score, (q, r) in right)
        for q, r, score in zip(query.tolist(), reference.tolist(), scores.tolist(), strict=True)
    ]
    found, total = 0, 0.0
    for position, (_, correct) in enumerate(sorted(rows), start=1):
        if correct:
            found += 1
            total += found / position
    return total / len(right)


def run() -> str:
    """One line with both times and their ratio."""
    rng = np.random.default_rng(0)
    keys = rng.choice(QUERIES * REFERENCES, PREDICTIONS, replace=False)
    query, reference = keys // REFERENCES, keys % REFERENCES
    truth = np.stack([query, reference], axis=1)[:TRUE_PAIRS]
    scores = rng.random(PREDICTIONS, dtype=np.float32)
    fast = seconds(lambda: micro_ap(query, reference, scores, truth=truth))
    slow = seconds(lambda: plain(query, reference, scores, truth), repeats=1)
    return (
        f"micro-AP, {PREDICTIONS:,} predictions, {TRUE_PAIRS:,} true pairs: {fast:.3f} s, "
        f"plain loop {slow:.2f} s, {slow / fast:.0f}x"
    )
