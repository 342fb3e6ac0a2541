"""What every system of the comparison does: learn, index references, find pairs for queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sscd.data.records import Pictures
from sscd.data.stopwatch import Stopwatch
from sscd.search.pairs import Pairs
from sscd.search.postprocessing.neighbourhood import Neighbourhood


@dataclass(frozen=True)
class Found:
    """The best pairs of some queries and all references, over all queries at once.

    Attributes:
        query_ids: The queries that could be read; `Pairs.query` counts these.
        plain: By the system's own score.
        normalised: By the score less β times that of the n-th most similar training picture (DISC21
            paper, equation 2).
    """

    query_ids: Sequence[str]
    plain: Pairs
    normalised: Pairs


class System(Protocol):
    """A system that finds copies. Its methods are called in the order in which they stand here.

    Attributes:
        name: What it is called in tables.
        dims: Length of its global descriptor; None where it has none.
        norm: β and the rank n of its score normalisation.
        watch: What extraction took, from files to descriptors; the search is not in it.
        hardware: What the extraction ran on.
        reference_ids: The references that could be read, which `Pairs.reference` counts; empty
            before `index`.
    """

    name: str
    dims: int | None
    norm: Neighbourhood
    watch: Stopwatch
    hardware: str
    reference_ids: Sequence[str]

    def learn(self, training: Pictures) -> None:
        """Learn what there is to learn on training pictures, and keep them for normalisation.

        Raises:
            UserError: There are too few, or none can be read.
        """
        ...

    def index(self, references: Pictures) -> None:
        """Describe what is searched; may be called again, for other references.

        Raises:
            UserError: None can be read.
        """
        ...

    def search(self, queries: Pictures, *, limit: int) -> Found:
        """Find the `limit` best pairs; may be called again, for other queries.

        Raises:
            UserError: No query can be read.
        """
        ...
