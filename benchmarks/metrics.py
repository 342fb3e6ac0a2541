"""Micro-AP of 500,000 predictions, by indices and by ids, against a plain pass over the list."""

from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from benchmarks.timing import seconds
from sscd.evaluation.metrics import micro_ap, micro_ap_of_ids

PREDICTIONS, TRUE_PAIRS, QUERIES, REFERENCES = 500_000, 10_000, 50_000, 1_000_000


def plain(
    query: Sequence[Hashable],
    reference: Sequence[Hashable],
    scores: Sequence[float],
    truth: AbstractSet[tuple[Hashable, Hashable]],
) -> float:
    """The definition in a Python loop."""
    pairs = list(zip(query, reference, strict=True))
    if len(set(pairs)) != len(pairs):
        raise ValueError("got a pair more than once; expected it once")
    rows = [(-score, pair in truth) for score, pair in zip(scores, pairs, strict=True)]
    found, total = 0, 0.0
    for position, (_, correct) in enumerate(sorted(rows), start=1):
        if correct:
            found += 1
            total += found / position
    return total / len(truth)


def run() -> str:
    """A line for indices and one for ids: both times and their ratio."""
    rng = np.random.default_rng(0)
    keys = rng.choice(QUERIES * REFERENCES, PREDICTIONS, replace=False)
    query, reference = keys // REFERENCES, keys % REFERENCES
    truth = np.stack([query, reference], axis=1)[:TRUE_PAIRS]
    scores = rng.random(PREDICTIONS, dtype=np.float32)
    query_ids = [f"Q{number:05d}" for number in query]
    reference_ids = [f"R{number:06d}" for number in reference]
    true_ids = set(zip(query_ids[:TRUE_PAIRS], reference_ids[:TRUE_PAIRS], strict=True))
    query_bytes, reference_bytes = np.array(query_ids, "S"), np.array(reference_ids, "S")
    numbers = (query.tolist(), reference.tolist(), set(map(tuple, truth.tolist())))
    listed = scores.tolist()
    by_ids = seconds(lambda: plain(query_ids, reference_ids, listed, true_ids), repeats=3)
    times = {
        "integer indices": (
            seconds(lambda: micro_ap(query, reference, scores, truth=truth)),
            seconds(lambda: plain(*numbers[:2], listed, numbers[2]), repeats=3),
        ),
        "ids in fixed-width bytes": (
            seconds(lambda: micro_ap_of_ids(query_bytes, reference_bytes, scores, truth=true_ids)),
            by_ids,
        ),
        "ids in a list of strings": (
            seconds(lambda: micro_ap_of_ids(query_ids, reference_ids, scores, truth=true_ids)),
            by_ids,
        ),
    }
    lines = [f"micro-AP, {PREDICTIONS:,} predictions, {TRUE_PAIRS:,} true pairs"]
    for name, (fast, slow) in times.items():
        lines.append(f"  {name}: {fast:.3f} s, plain loop {slow:.2f} s, {slow / fast:.1f}x")
    return "\n".join(lines)


if __name__ == "__main__":
    print(run())  # noqa: T201
