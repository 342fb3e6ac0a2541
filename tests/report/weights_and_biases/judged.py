"""A small judged system with real pictures, one of which is broken."""

from pathlib import Path

import numpy as np
from PIL import Image

from sscd.data.ground_truth import GroundTruth
from sscd.data.records import ImageSet
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import evaluate_descriptors
from sscd.report.weights_and_biases.thumbnails import PictureSets
from sscd.vectors import in_memory
from tests.evaluation.described import named, unit

REFERENCES, QUERIES, COPIES = 30, 24, 12
EDITS = ("crop", "blur", "<b>")


def small_judged() -> Judged:
    """Half of the queries are copies, ever noisier; names of edits are hostile."""
    references = named("R", unit(REFERENCES, seed=0))
    vectors = unit(QUERIES, seed=1)
    noise = np.linspace(0.5, 1.5, COPIES, dtype=np.float32)[:, None]
    vectors[:COPIES] = in_memory(references.vectors)[:COPIES] + noise * vectors[:COPIES]
    queries = named("Q", vectors)
    pairs = frozenset((f"Q{i:03d}", f"R{i:03d}") for i in range(COPIES))
    truth = GroundTruth(pairs, frozenset(queries.ids))
    edits = {name: EDITS[: 1 + place % 3] for place, name in enumerate(queries.ids)}
    evaluation = evaluate_descriptors(queries, references, truth)
    return Judged("a run", "a set", evaluation, truth, edits)


def small_pictures(folder: Path) -> PictureSets:
    """A picture for each; that of the first query is broken, that of R029 is not there."""
    sets = []
    for name, letter, count in (("queries", "Q", QUERIES), ("references", "R", REFERENCES)):
        root = folder / name
        root.mkdir()
        names = [f"{letter}{number:03d}.jpg" for number in range(count)]
        for number, file in enumerate(names):
            pixels = np.full((150, 200, 3), number * 8, dtype=np.uint8)
            Image.fromarray(pixels).save(root / file)
        sets.append(ImageSet.from_names(name, root=root, names=names))
    (folder / "queries" / "Q000.jpg").write_bytes(b"broken")
    (folder / "references" / "R029.jpg").unlink()
    return PictureSets(*sets)
