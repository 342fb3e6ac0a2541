"""Charts of a report: precision and recall, scores, figures by edit, thresholds.

They use W&B's own presets, so that the charts of several runs lie over one another.
"""

import math
from typing import Any

from sscd.evaluation.by_edit import EditGroup
from sscd.evaluation.curve import Curve
from sscd.evaluation.report import Report
from sscd.evaluation.score_histogram import ScoreHistogram

Panels = dict[str, Any]
"""Key → what `wandb.Run.log` takes."""


def precision_recall(curve: Curve, *, protocol: str) -> Panels:
    """The curve, each point with its threshold.

    Args:
        curve: Of the report.
        protocol: How candidates were chosen, for the title.
    """
    import wandb

    points = zip(
        curve.recall.tolist(), curve.precision.tolist(), curve.scores.tolist(), strict=True
    )
    table = wandb.Table(columns=["recall", "precision", "score"], data=[list(p) for p in points])
    title = f"precision and recall, {protocol}"
    return {
        "val/precision_recall": wandb.plot.line(table, "recall", "precision", title=title),
    }


def score_panels(histogram: ScoreHistogram, *, threshold: float) -> Panels:
    """Scores of copies and non-copies with the threshold, and both as histograms over time.

    Args:
        histogram: Of the report.
        threshold: For 90 % precision; not drawn where it is not finite.
    """
    import wandb

    edges = histogram.edges
    kinds = {"copies": histogram.copies, "non-copies": histogram.non_copies}
    shares = {name: counts / max(1, counts.sum()) for name, counts in kinds.items()}
    centres = ((edges[1:] + edges[:-1]) / 2).tolist()
    rows: list[list[Any]] = [
        [score, share, name]
        for name, values in shares.items()
        for score, share in zip(centres, values.tolist(), strict=True)
    ]
    if math.isfinite(threshold):
        highest = max(float(values.max()) for values in shares.values())
        rows += [[threshold, height, "threshold at P90"] for height in (0.0, highest)]
    table = wandb.Table(columns=["score", "share", "pairs"], data=rows)
    line = wandb.plot.line(table, "score", "share", stroke="pairs", title="scores of pairs")
    histograms = {
        f"val/scores_of_{name.replace('-', '_')}": wandb.Histogram(
            np_histogram=(counts.tolist(), edges.tolist())
        )
        for name, counts in kinds.items()
    }
    return {"val/scores": line, **histograms}


def edit_panels(report: Report) -> Panels:
    """A bar for each operation over a table of its figures, and a table by their number."""
    import wandb

    if report.edits is None:
        return {}
    by_operation = _group_table("edit", report.edits.operations)
    return {
        "val/micro_ap_by_edit": wandb.plot.bar(
            by_operation, "edit", "micro_ap", title=f"μAP by edit, {report.figures.protocol}"
        ),
        "val/figures_by_number_of_edits": _group_table("edits", report.edits.counts),
    }


def threshold_panel(report: Report) -> Panels:
    """The score for each precision and number of references; empty where nothing reaches it."""
    import wandb

    columns: list[str | int] = ["precision", "references", "threshold", "recall", "note"]
    rows = [
        [
            cell.precision,
            f"{cell.scale:g}x",
            cell.threshold if math.isfinite(cell.threshold) else None,
            cell.recall,
            cell.note,
        ]
        for cell in report.thresholds
    ]
    return {"val/thresholds": wandb.Table(columns=columns, data=rows)}


def _group_table(column: str, groups: tuple[EditGroup, ...]) -> Any:
    import wandb

    figures = ("copies", "micro_ap", "recall_at_p90", "recall_at_1")
    rows = [[group.name, *(getattr(group, figure) for figure in figures)] for group in groups]
    columns: list[str | int] = [column, *figures]
    return wandb.Table(columns=columns, data=rows)
