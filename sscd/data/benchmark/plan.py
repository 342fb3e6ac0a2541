"""Which picture plays which part in a benchmark, decided before anything is written."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sscd.data.benchmark.request import BenchmarkRequest
from sscd.data.benchmark.tables import AIR_GAP, BY_HAND
from sscd.data.disc21 import GROUND_TRUTH_FILES, QUERY_DIRECTORIES, QuerySplit
from sscd.data.ground_truth import GroundTruth
from sscd.data.records import ImageSet
from sscd.data.stable_hash import stable_fractions

SPLITS: tuple[QuerySplit, ...] = ("dev", "test")
Part = Literal["train", "references"]


@dataclass(frozen=True)
class PlannedPicture:
    """A picture that is copied from the folder.

    Attributes:
        id: What it is called in the benchmark.
        part: The directory it is written to.
        source: Its path relative to the folder.
    """

    id: str
    part: Part
    source: str

    @property
    def file(self) -> str:
        """Its path relative to the benchmark."""
        return f"{self.part}/{self.id}.jpg"


@dataclass(frozen=True)
class PlannedQuery:
    """A picture that is edited to a query.

    Attributes:
        id: What it is called in the benchmark.
        split: Its phase.
        source: The path of the edited picture relative to the folder.
        reference: The id of the reference it is a copy of; empty for a distractor.
        table: Which table edits it: `dev`, `test`, `by_hand` or `air_gap`.
    """

    id: str
    split: QuerySplit
    source: str
    reference: str
    table: str

    @property
    def file(self) -> str:
        """Its path relative to the benchmark."""
        return f"{QUERY_DIRECTORIES[self.split][0]}/{self.id}.jpg"


@dataclass(frozen=True)
class Plan:
    """A whole benchmark.

    Attributes:
        pictures: References, then training pictures, by id.
        queries: Those of the development phase, then those of the test phase, by id.
        extras: Paths, relative to the folder, of the pictures that edits may use beside the source.
    """

    pictures: tuple[PlannedPicture, ...]
    queries: tuple[PlannedQuery, ...]
    extras: tuple[str, ...]

    def truth(self, split: QuerySplit) -> GroundTruth:
        """The ground truth of a phase; it lists every query."""
        queries = [query for query in self.queries if query.split == split]
        return GroundTruth(
            pairs=frozenset((q.id, q.reference) for q in queries if q.reference),
            listed=frozenset(query.id for query in queries),
        )


def truth_file(split: QuerySplit) -> str:
    """The name of a phase's ground-truth file."""
    return GROUND_TRUTH_FILES[split][0]


def plan_benchmark(images: ImageSet, request: BenchmarkRequest) -> Plan:
    """Deal pictures out to the parts of a benchmark.

    Everything follows from hashes of the seed and the relative paths: a picture that is added to
    the folder takes one place and moves at most one picture at each border between parts. Each
    reference is copied at most once over both phases (DISC21 paper, section 4.5). Copies and
    distractors are mixed, and numbers of the test phase go on where those of the development phase
    end, as DISC21's do.

    Args:
        images: As many pictures as the request needs or more, in a stable random order.
        request: What is asked for.

    Raises:
        ValueError: There are too few pictures.
    """
    needed = sum(request.parts.values())
    if len(images) < needed:
        raise ValueError(f"images got {len(images)} pictures; expected at least {needed}")
    names = images.names.tolist()
    parts: dict[str, list[bytes]] = {}
    start = 0
    for part, count in request.parts.items():
        parts[part] = names[start : start + count]
        start += count
    references = _pictures("references", "R", parts["references"])
    training = _pictures("train", "T", parts["training"])
    return Plan(
        pictures=(*references, *training),
        queries=_queries(references, parts["distractors"], request),
        extras=tuple(os.fsdecode(name) for name in parts["extras"]),
    )


def _pictures(part: Part, letter: str, names: Sequence[bytes]) -> list[PlannedPicture]:
    width = _digits(len(names), least=6)
    return [
        PlannedPicture(id=f"{letter}{number:0{width}d}", part=part, source=os.fsdecode(name))
        for number, name in enumerate(names)
    ]


def _queries(
    references: Sequence[PlannedPicture], distractors: Sequence[bytes], request: BenchmarkRequest
) -> tuple[PlannedQuery, ...]:
    copied = _order([r.source for r in references], salt=f"copies/{request.seed}")
    queries: list[PlannedQuery] = []
    width = _digits(2 * (request.queries + request.distractors), least=5)
    for number, split in enumerate(SPLITS):
        copies = copied[number * request.queries : (number + 1) * request.queries]
        sources = [(references[i].source, references[i].id) for i in copies.tolist()]
        first = number * request.distractors
        others = distractors[first : first + request.distractors]
        sources += [(os.fsdecode(name), "") for name in others]
        tables = _tables([source for source, _ in sources], split, request)
        order = _order([source for source, _ in sources], salt=f"order/{request.seed}/{split}")
        for index in order.tolist():
            source, reference = sources[index]
            query_id = f"Q{len(queries):0{width}d}"
            queries.append(PlannedQuery(query_id, split, source, reference, tables[index]))
    return tuple(queries)


def _tables(sources: Sequence[str], split: QuerySplit, request: BenchmarkRequest) -> list[str]:
    """Which table edits each source: exact shares, dealt by a stable order."""
    tables: list[str] = [split] * len(sources)
    order = _order(sources, salt=f"table/{request.seed}/{split}").tolist()
    by_hand = round(request.by_hand * len(sources))
    for index in order[:by_hand]:
        tables[index] = BY_HAND
    if split == "test":
        for index in order[by_hand : round((request.by_hand + request.air_gap) * len(sources))]:
            tables[index] = AIR_GAP
    return tables


def _order(sources: Sequence[str], *, salt: str) -> NDArray[np.intp]:
    fractions = stable_fractions((os.fsencode(source) for source in sources), salt=salt)
    return np.argsort(fractions, kind="stable")


def _digits(count: int, *, least: int) -> int:
    return max(least, len(str(max(count - 1, 0))))
