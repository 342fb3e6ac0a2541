import numpy as np
import torch

from sscd.search.engines.best import MOST_REFERENCES, Best

CPU = torch.device("cpu")


def added(best: Best, found: list[tuple[int, int, float]]) -> None:
    """Add (query, reference, score) triples."""
    found = sorted(found)
    best.add(
        slice(0, len(best.keys)),
        torch.tensor([q for q, _, _ in found], dtype=torch.int64),
        torch.tensor([r for _, r, _ in found], dtype=torch.int64),
        torch.tensor([s for _, _, s in found], dtype=torch.float32),
    )


def test_keeps_the_best_in_any_order_of_arrival() -> None:
    rng = np.random.default_rng(0)
    values = [-np.inf, -3.5, -1e-30, 0.0, 1e-30, 2.0, 2.5]
    everything = [(q, r, float(rng.choice(values))) for q in range(4) for r in range(50)]
    expected = [
        sorted((-score, r) for q, r, score in everything if q == query)[:6] for query in range(4)
    ]
    for size in (1, 7, 200):
        best = Best(4, 6, CPU)
        shuffled = [everything[i] for i in rng.permutation(200)]
        for start in range(0, 200, size):
            added(best, shuffled[start : start + size])
        scores, references = best.result()
        assert [
            list(zip((-s).tolist(), r.tolist(), strict=True))
            for s, r in zip(scores, references, strict=True)
        ] == expected


def test_the_worst_is_minus_infinity_until_there_are_k() -> None:
    best = Best(2, 2, CPU)
    added(best, [(0, 3, -1.0), (0, 4, -2.0), (1, 3, 5.0)])
    assert best.worst(slice(0, 2)).tolist() == [-2.0, -np.inf]
    assert best.worst(slice(1, 2)).tolist() == [-np.inf]


def test_two_devices_merge() -> None:
    one, two = Best(1, 3, CPU), Best(1, 3, CPU)
    added(one, [(0, 8, 1.0), (0, 2, 0.5)])
    added(two, [(0, 4, 1.0), (0, 1, 0.25)])
    one.merge(two)
    scores, references = one.result()
    assert scores.tolist() == [[1.0, 1.0, 0.5]]
    assert references.tolist() == [[4, 8, 2]]


def test_the_highest_reference_fits() -> None:
    best = Best(1, 1, CPU)
    added(best, [(0, MOST_REFERENCES - 1, -np.inf)])
    assert best.result()[1].tolist() == [[MOST_REFERENCES - 1]]
