"""The figures as loops over lists, and random lists with many ties."""

import math

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.candidates import Candidates
from sscd.evaluation.marking import mark_correct

Pair = tuple[int, int]
Prediction = tuple[int, int, float]


def random_case(rng: np.random.Generator) -> tuple[list[Prediction], set[Pair]]:
    queries, references = int(rng.integers(1, 8)), int(rng.integers(1, 8))
    everything = [(q, r) for q in range(queries) for r in range(references)]
    chosen = rng.permutation(len(everything))[: rng.integers(1, len(everything) + 1)]
    levels = int(rng.integers(1, 6))  # few levels: many ties
    predictions = [(*everything[i], float(rng.integers(levels)) / 3) for i in chosen]
    right = rng.permutation(len(everything))[: rng.integers(1, len(everything) + 1)]
    return predictions, {everything[i] for i in right}


def columns(
    predictions: list[Prediction],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    query, reference, scores = zip(*predictions, strict=True)
    return np.array(query), np.array(reference), np.array(scores)


def as_candidates(predictions: list[Prediction], truth: set[Pair]) -> Candidates:
    query, reference, scores = columns(predictions)
    count = 1 + max(int(query.max()), *(q for q, _ in truth))
    pairs = np.array(sorted(truth))
    return Candidates(
        query_ids=tuple(f"Q{q}" for q in range(count)),
        query=query,
        reference=reference,
        scores=scores,
        correct=mark_correct(query, reference, truth=pairs),
        true_counts=np.bincount(pairs[:, 0], minlength=count),
    )


def worst_first(predictions: list[Prediction], truth: set[Pair]) -> list[Prediction]:
    return sorted(predictions, key=lambda p: (-p[2], (p[0], p[1]) in truth))


def average_precision(predictions: list[Prediction], truth: set[Pair]) -> float:
    found, total = 0, 0.0
    for place, (query, reference, _) in enumerate(worst_first(predictions, truth), start=1):
        if (query, reference) in truth:
            found += 1
            total += found / place
    return total / len(truth)


def macro_average_precision(predictions: list[Prediction], truth: set[Pair]) -> float:
    values = []
    for one in {q for q, _ in truth}:
        own = [p for p in predictions if p[0] == one]
        values.append(average_precision(own, {pair for pair in truth if pair[0] == one}))
    return sum(values) / len(values)


def recall_at(
    predictions: list[Prediction], truth: set[Pair], precision: float, *, times: float = 1.0
) -> tuple[float, float, int]:
    """Try every score as a threshold, the highest first: recall, threshold, wrong pairs."""
    best = (0.0, math.inf, 0)
    for threshold in sorted({score for _, _, score in predictions}, reverse=True):
        taken = [(q, r) in truth for q, r, score in predictions if score >= threshold]
        right, wrong = sum(taken), len(taken) - sum(taken)
        if right / (right + times * wrong) >= precision and right / len(truth) > best[0]:
            best = (right / len(truth), threshold, wrong)
    return best


def recall_in_first(predictions: list[Prediction], truth: set[Pair], rank: int) -> float:
    hits = 0
    for one in {q for q, _, _ in predictions}:
        own = worst_first([p for p in predictions if p[0] == one], truth)
        hits += sum((q, r) in truth for q, r, _ in own[:rank])
    return hits / len(truth)
