"""One system, judged: its scored pairs with all that a report says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sscd.data.descriptors import Origin
from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.edit_records import Operations
from sscd.evaluation.protocol import Evaluation


@dataclass(frozen=True)
class Judged:
    """An evaluation with its names: what is kept of it, and what a `Report` is made of.

    Attributes:
        system: What was judged, such as the name of a run or of a file.
        data: What it was judged on, such as the name of a data set.
        evaluation: Figures and candidate pairs.
        truth: The right pairs.
        edits: The operations that made each query, by its id; None where they are not known.
        origin: What made the descriptors; `Origin()` where it is not known.
        query_pictures: Where the queries' pictures lie, as `sscd match` takes it; empty where
            that is not known.
        reference_pictures: Where the references' pictures lie, likewise.
        facts: What else identifies the system, for people: the checkpoint, its step, the version.
    """

    system: str
    data: str
    evaluation: Evaluation
    truth: GroundTruth
    edits: Mapping[str, Operations] | None = None
    origin: Origin = field(default_factory=Origin)
    query_pictures: str = ""
    reference_pictures: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
