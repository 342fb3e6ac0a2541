"""All panels of a report."""

from sscd.evaluation.report import Report
from sscd.report.weights_and_biases.charts import (
    Panels,
    edit_panels,
    precision_recall,
    score_panels,
    threshold_panel,
)
from sscd.report.weights_and_biases.example_tables import example_panels
from sscd.report.weights_and_biases.thumbnails import PictureSets


def panels_of(report: Report, pictures: PictureSets, *, rows: int) -> Panels:
    """What a validation shows in Weights & Biases.

    Args:
        report: Of the validation.
        pictures: Where its queries and references are.
        rows: Of each table of examples at most; 0 for no tables and no pictures.

    Returns:
        Key → what `wandb.Run.log` takes: the figures, curves, histograms and tables.
    """
    panels: Panels = {f"val/{name}": value for name, value in report.figures.as_log().items()}
    if report.micro_ap_interval:
        panels["val/micro_ap_low"] = report.micro_ap_interval.low
        panels["val/micro_ap_high"] = report.micro_ap_interval.high
    panels |= precision_recall(report.curve, protocol=report.figures.protocol)
    if report.histogram:
        panels |= score_panels(report.histogram, threshold=report.figures.threshold_at_p90)
    panels |= edit_panels(report) | threshold_panel(report)
    return panels | example_panels(report, pictures, rows=rows)
