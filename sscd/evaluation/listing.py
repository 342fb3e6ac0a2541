"""Which queries and pairs a ground truth lets be judged, and what of it has no descriptor."""

from collections.abc import Sequence

from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.marking import rows_of


def check_width(queries: Descriptors, references: Descriptors) -> None:
    """Check that queries and references can be compared.

    Raises:
        UserError: They differ in the number of dimensions.
    """
    widths = queries.vectors.shape[1], references.vectors.shape[1]
    if widths[0] != widths[1]:
        raise UserError(
            f"queries have {widths[0]} dimensions and references {widths[1]}; "
            "describe both with one model"
        )


def check_truth(truth: GroundTruth) -> None:
    """Check that there is something to find.

    Raises:
        UserError: The ground truth holds no pair.
    """
    if not truth.pairs:
        raise UserError("the ground truth holds no (query, reference) pair; micro-AP needs one")


def listed_rows(query_ids: Sequence[str], truth: GroundTruth) -> list[int]:
    """The rows of the queries that the ground truth speaks of.

    Raises:
        UserError: There is none.
    """
    listed = truth.listed
    rows = [row for row, name in enumerate(query_ids) if listed is None or name in listed]
    if not rows:
        raise none_listed(len(query_ids))
    return rows


def none_listed(count: int) -> UserError:
    """What to raise where the ground truth speaks of none of `count` queries."""
    return UserError(
        f"none of the {count} queries is listed in the ground truth; "
        "check that both belong to the same set"
    )


def missing(
    query_ids: Sequence[str], reference_ids: Sequence[str], truth: GroundTruth
) -> tuple[int, int]:
    """Queries the truth names that have no descriptor, and true pairs that lack one."""
    named = {query for query, _ in truth.pairs} | (truth.listed or frozenset())
    known_queries = rows_of(query_ids, named)
    known_references = rows_of(reference_ids, {name for _, name in truth.pairs})
    pairs = sum(q not in known_queries or r not in known_references for q, r in truth.pairs)
    return len(named) - len(known_queries), pairs
