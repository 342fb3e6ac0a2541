"""Small systems that are judged already: noisy copies among random descriptors."""

from sscd.data.descriptors import Descriptors, Origin
from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.edit_records import Operations
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import Protocol, evaluate_descriptors
from tests.evaluation.described import copies, named, unit

OPERATIONS: tuple[Operations, ...] = (("crop",), ("crop", "blur"), ("jpeg", "text", "blur"))


def judged_system(
    *,
    protocol: Protocol = "neighbours",
    system: str = "system",
    queries: int = 40,
    references: int = 60,
    noise: float = 0.9,
    edits: bool = True,
) -> Judged:
    """Half of the queries are copies of references, the rest distractors."""
    searched = named("R", unit(references, seed=0))
    asked, pairs = copies(queries, searched, noise=noise)
    truth = GroundTruth(pairs, frozenset(asked.ids))
    origin = Origin(model="abc", preprocessing="32 square")
    return Judged(
        system=system,
        data="made up",
        evaluation=evaluate_descriptors(
            Descriptors(asked.ids, asked.vectors, origin),
            Descriptors(searched.ids, searched.vectors, origin),
            truth,
            protocol=protocol,
        ),
        truth=truth,
        edits={name: OPERATIONS[i % 3] for i, name in enumerate(asked.ids)} if edits else None,
        origin=origin,
        query_pictures="/pictures/queries",
        reference_pictures="/pictures/references",
        facts={"step": "12"},
    )
