"""Judged systems with pictures to show, small and quick to make."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from sscd.data.descriptors import Descriptors, Origin
from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import evaluate_descriptors, evaluate_pairs
from tests.evaluation.described import unit

QUERIES, REFERENCES, COPIES = 60, 40, 30


def judged(
    system: str = "network",
    *,
    noise: float = 0.8,
    seed: int = 1,
    queries: int = QUERIES,
    references: int = REFERENCES,
    pictures: Path | None = None,
) -> Judged:
    """Half of the queries are copies of references, ever noisier; edits alternate among three."""
    stored = unit(references, seed=0)
    asked = unit(queries, seed=seed)
    copies = queries // 2
    rows = np.arange(copies) % references
    moved = stored[rows] + noise * np.linspace(0.2, 2, copies)[:, None] * asked[:copies]
    asked[:copies] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    names = [f"Q{number:04d}" for number in range(queries)]
    known = [f"R{number:04d}" for number in range(references)]
    truth = GroundTruth(
        frozenset((names[i], known[row]) for i, row in enumerate(rows)), frozenset(names)
    )
    edits = {name: (("crop",), ("crop", "blur"), ("text",))[i % 3] for i, name in enumerate(names)}
    found = evaluate_descriptors(Descriptors(names, asked), Descriptors(known, stored), truth)
    return Judged(
        system,
        "drawn pictures",
        found,
        truth,
        edits,
        origin=Origin("a1b2", "32 square"),
        query_pictures="" if pictures is None else str(pictures / "queries"),
        reference_pictures="" if pictures is None else str(pictures / "references"),
        facts={"checkpoint": "best.ckpt"},
    )


def predicted(
    pairs: Sequence[tuple[str, str, float]],
    right: Sequence[tuple[str, str]],
    *,
    system: str = "predictions",
    edits: Mapping[str, tuple[str, ...]] | None = None,
) -> Judged:
    """Predictions under any ids."""
    queries, references, scores = zip(*pairs, strict=True)
    truth = GroundTruth(frozenset(right), None)
    found = evaluate_pairs(queries, references, np.array(scores), truth)
    return Judged(system, "data", found, truth, edits)


def draw_pictures(root: Path, *, queries: int = QUERIES, references: int = REFERENCES) -> Path:
    """JPEGs of one colour each, under the ids that `judged` uses."""
    rng = np.random.default_rng(0)
    for folder, letter, count in (("queries", "Q", queries), ("references", "R", references)):
        (root / folder).mkdir(parents=True)
        for number in range(count):
            color = tuple(rng.integers(0, 256, 3).tolist())
            Image.new("RGB", (48, 32), color).save(root / folder / f"{letter}{number:04d}.jpg")
    return root


def named(one: Judged, system: str) -> Judged:
    """The same under another name."""
    return replace(one, system=system)
