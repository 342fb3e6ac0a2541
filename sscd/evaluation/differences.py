"""How far systems are apart on the same queries, or why that cannot be said."""

from dataclasses import asdict, dataclass
from typing import Any

from sscd.evaluation.bootstrap import Figure, Interval, Watch, paired_difference
from sscd.evaluation.judged import Judged

FIGURES: tuple[Figure, ...] = ("micro_ap", "recall_at_p90")


@dataclass(frozen=True)
class Difference:
    """A figure of a system minus that of another.

    Attributes:
        system: The one.
        against: The other.
        figure: Which figure.
        interval: The difference with its paired bootstrap interval; None where there is none.
        why_not: Why there is none; empty where there is one.
    """

    system: str
    against: str
    figure: Figure
    interval: Interval | None
    why_not: str = ""

    @property
    def verdict(self) -> str:
        """What the interval says, in words."""
        if self.interval is None:
            return self.why_not
        if self.interval.low > 0:
            return "lead holds"
        if self.interval.high < 0:
            return "falls behind"
        return "not told apart: the interval holds 0"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "system": self.system,
            "against": self.against,
            "figure": self.figure,
            "interval": asdict(self.interval) if self.interval else None,
            "verdict": self.verdict,
        }


def differences(
    one: Judged, against: Judged, *, samples: int, watch: Watch = iter
) -> list[Difference]:
    """Compare a system with another by every one of `FIGURES`.

    Args:
        one: The one.
        against: The other.
        samples: Resamples of the paired bootstrap; with 0 there are no intervals.
        watch: What the numbers of the resamples go through.

    Raises:
        ValueError: `samples` is negative.
    """
    if samples < 0:
        raise ValueError(f"got {samples} samples; expected 0 or more")
    return [_difference(one, against, figure, samples, watch) for figure in FIGURES]


def _difference(
    one: Judged, first: Judged, figure: Figure, samples: int, watch: Watch
) -> Difference:
    why_not = _why_not(one, first) or ("" if samples else "no resamples were asked for")
    interval = None
    if not why_not:
        interval = paired_difference(
            one.evaluation.candidates,
            first.evaluation.candidates,
            figure=figure,
            samples=samples,
            watch=watch,
        )
    return Difference(one.system, first.system, figure, interval, why_not)


def same_queries(one: Judged, other: Judged) -> bool:
    """Whether two systems were judged on the same queries by the same truth.

    Ids alone do not say so: two benchmarks may both have a Q00000.
    """
    ids = (one.evaluation.candidates.query_ids, other.evaluation.candidates.query_ids)
    return one.truth.pairs == other.truth.pairs and (
        ids[0] == ids[1] or frozenset(ids[0]) == frozenset(ids[1])
    )


def other_data(one: Judged, other: Judged) -> str:
    """What of the data of two systems differs, so that their figures do not compare; else empty."""
    if one.truth.pairs != other.truth.pairs:
        return "other ground truths"
    if not same_queries(one, other):
        return "other queries"
    counts = (one.evaluation.figures.references, other.evaluation.figures.references)
    if None not in counts and counts[0] != counts[1]:
        return f"other references: {counts[0]:,} and {counts[1]:,}"
    return ""


def _why_not(one: Judged, first: Judged) -> str:
    """Why two systems cannot be compared; empty where they can."""
    ours, theirs = one.evaluation, first.evaluation
    if ours.kind != theirs.kind:
        return f"other protocols: {ours.kind} and {theirs.kind}"
    protocols = (ours.figures.protocol, theirs.figures.protocol)
    # Predictions are of one kind, however many there are.
    if ours.kind != "predictions" and protocols[0] != protocols[1]:
        return f"other protocols: {protocols[0]} and {protocols[1]}"
    if why := other_data(one, first):
        return why
    # The bootstrap draws rows, for both at once.
    return "" if ours.candidates.query_ids == theirs.candidates.query_ids else "other queries"
