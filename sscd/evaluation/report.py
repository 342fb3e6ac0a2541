"""The report of an evaluation: the one object behind JSON, the HTML page, W&B and the terminal."""

from dataclasses import asdict, dataclass
from typing import Any

from sscd.data.descriptors import Origin
from sscd.evaluation.bootstrap import Interval, Watch, micro_ap_interval
from sscd.evaluation.by_edit import EditBreakdown, figures_by_edit
from sscd.evaluation.curve import Curve, thinned_curve
from sscd.evaluation.examples import PAIRS, Example, choose_examples
from sscd.evaluation.figures import CopyFigures
from sscd.evaluation.judged import Judged
from sscd.evaluation.score_histogram import ScoreHistogram, can_be_drawn, score_histogram
from sscd.evaluation.thresholds import Threshold, threshold_table


@dataclass(frozen=True)
class Report:
    """What people look at of one system, judged on one set by one protocol.

    Attributes:
        system: What was judged.
        data: What it was judged on.
        origin: What made the descriptors.
        facts: What else identifies the system, for people.
        figures: Micro-AP and its relatives, with the protocol.
        micro_ap_interval: Its bootstrap interval over queries; None where none was asked for.
        curve: Right and wrong pairs by threshold.
        histogram: Scores of copies and non-copies; None where scores are not finite or there are
            none.
        thresholds: For each precision and number of references.
        edits: Figures by edit; None where the edits are not known.
        examples: Single queries, the surest first.
        warnings: What to say beside the figures.
    """

    system: str
    data: str
    origin: Origin
    facts: dict[str, str]
    figures: CopyFigures
    micro_ap_interval: Interval | None
    curve: Curve
    histogram: ScoreHistogram | None
    thresholds: tuple[Threshold, ...]
    edits: EditBreakdown | None
    examples: tuple[Example, ...]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values; what does not exist is None, such as a threshold that nothing reaches."""
        interval = self.micro_ap_interval
        return {
            "system": self.system,
            "data": self.data,
            "origin": asdict(self.origin),
            "facts": dict(self.facts),
            "figures": self.figures.as_json(),
            "micro_ap_interval": asdict(interval) if interval else None,
            "curve": self.curve.as_json(),
            "histogram": self.histogram.as_json() if self.histogram else None,
            "thresholds": [cell.as_json() for cell in self.thresholds],
            "edits": self.edits.as_json() if self.edits else None,
            "examples": [example.as_json() for example in self.examples],
            "warnings": list(self.warnings),
        }


def make_report(
    judged: Judged, *, samples: int = 1000, pairs: int = PAIRS, watch: Watch = iter
) -> Report:
    """Make the report of a system.

    Args:
        judged: The system with its candidates.
        samples: Resamples of the bootstrap interval; 0 for none.
        pairs: Queries among the examples, at most.
        watch: What the numbers of the resamples go through.

    Raises:
        UserError: Edits are given, and no copy has a record of them.
        ValueError: There is no true pair, or a number is out of range.
    """
    evaluation = judged.evaluation
    candidates = evaluation.candidates
    edits = figures_by_edit(candidates, judged.edits) if judged.edits is not None else None
    interval = micro_ap_interval(candidates, samples=samples, watch=watch) if samples else None
    return Report(
        system=judged.system,
        data=judged.data,
        origin=judged.origin,
        facts=dict(judged.facts),
        figures=evaluation.figures,
        micro_ap_interval=interval,
        curve=thinned_curve(candidates),
        histogram=score_histogram(candidates) if can_be_drawn(candidates.scores) else None,
        thresholds=threshold_table(candidates),
        edits=edits,
        examples=choose_examples(judged, pairs=pairs),
        warnings=(*evaluation.warnings, *_count_warnings(evaluation.figures), *_edit(edits)),
    )


def _edit(edits: EditBreakdown | None) -> tuple[str, ...]:
    return (edits.warning,) if edits and edits.warning else ()


def _count_warnings(figures: CopyFigures) -> tuple[str, ...]:
    lines = []
    if figures.unlisted_queries:
        lines.append(
            f"{figures.unlisted_queries:,} queries are not in the ground truth and were left out"
        )
    if figures.missing_queries:
        lines.append(f"{figures.missing_queries:,} queries of the ground truth have no descriptor")
    if figures.missing_pairs:
        lines.append(
            f"{figures.missing_pairs:,} of {figures.true_pairs:,} true pairs count as missed: "
            "their query or their reference has no descriptor"
        )
    return tuple(lines)
