"""Tables of single queries: the most confident false matches, and the missed copies."""

from collections.abc import Sequence
from typing import Any

from PIL import Image

from sscd.evaluation.examples import Example, false_matches, missed_copies
from sscd.evaluation.report import Report
from sscd.report.weights_and_biases.charts import Panels
from sscd.report.weights_and_biases.thumbnails import PictureSets, thumbnails

COLUMNS = (
    *("query", "found", "expected", "score", "expected score", "edits"),
    *("query id", "found id", "expected id"),
)
_Shown = dict[str, Image.Image | None]


def example_panels(report: Report, pictures: PictureSets, *, rows: int) -> Panels:
    """Both tables, a row a query: pictures side by side, scores, edits, ids.

    Args:
        report: With its examples.
        pictures: Where queries and references are.
        rows: Of each table at most; 0 for no tables.
    """
    if not rows:
        return {}
    wrong = false_matches(report.examples)[:rows]
    missed = missed_copies(report.examples, threshold=report.figures.threshold_at_p90)[:rows]
    shown = [*wrong, *missed]
    queries = thumbnails(pictures.queries, (one.query for one in shown))
    found = (name for one in shown for name in (one.found, one.expected) if name is not None)
    references = thumbnails(pictures.references, found)
    return {
        "val/false_matches": _table(wrong, queries, references),
        "val/missed_copies": _table(missed, queries, references),
    }


def _table(examples: Sequence[Example], queries: _Shown, references: _Shown) -> Any:
    import wandb

    rows = [
        [
            _image(queries, one.query),
            _image(references, one.found),
            _image(references, one.expected),
            one.score,
            one.expected_score,
            ", ".join(one.edits),
            one.query,
            one.found,
            one.expected,
        ]
        for one in examples
    ]
    return wandb.Table(columns=list(COLUMNS), data=rows)


def _image(shown: _Shown, name: str | None) -> Any:
    import wandb

    picture = None if name is None else shown.get(name)
    return None if picture is None else wandb.Image(picture, file_type="jpg")
