"""What is kept of an evaluation to choose thresholds later, for any precision and collection."""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.evaluation.json_fields import Fields
from sscd.evaluation.protocol import Evaluation
from sscd.evaluation.thresholds import (
    OperatingPoints,
    Threshold,
    operating_points,
    threshold_for,
    threshold_table,
)
from sscd.files import atomic_path
from sscd.search.options import Metric

VERSION = 1


@dataclass(frozen=True)
class Calibration:
    """The operating points of one evaluation, with what they hold for.

    Attributes:
        points: Scores, and the right and wrong pairs at or above each.
        queries: Queries of the evaluation.
        references: Its references; None where they are not known.
        origin: What made its descriptors; check it against that of the descriptors to be matched.
        metric: How they were compared; None where it is not known.
        protocol: How the candidates were chosen.
    """

    points: OperatingPoints
    queries: int
    references: int | None
    origin: Origin
    metric: Metric | None
    protocol: str

    def scale_to(self, references: int) -> float:
        """Return how many times the evaluation's references a collection has.

        Raises:
            UserError: The references of the evaluation are not known, or the collection is empty.
        """
        if self.references is None:
            raise UserError(
                "the calibration comes from predictions, which do not say how many references "
                "there were; calibrate with descriptors, or give a threshold"
            )
        if references < 1:
            raise UserError(f"{references} references: a threshold needs one at least")
        return references / self.references

    def threshold(self, *, precision: float, scale: float = 1.0) -> Threshold:
        """Return the threshold for a precision at `scale` times the evaluation's references.

        Raises:
            UserError: `precision` is not a share above 0, or `scale` is not positive.
        """
        return threshold_for(self.points, precision=precision, scale=scale)

    def table(self) -> tuple[Threshold, ...]:
        """Return the thresholds for 90, 95, 99 and 99.9 % at 1, 10 and 1,000 times."""
        return threshold_table(self.points)

    def to_json(self) -> dict[str, Any]:
        """Plain values, which `from_json` takes back."""
        return {
            "version": VERSION,
            "protocol": self.protocol,
            "metric": self.metric,
            "origin": asdict(self.origin),
            "queries": self.queries,
            "references": self.references,
            "true_pairs": self.points.true_pairs,
            "scores": list(self.points.scores),
            "right": list(self.points.right),
            "wrong": list(self.points.wrong),
        }

    @classmethod
    def from_json(cls, value: object, *, where: str) -> "Calibration":
        """Read plain values.

        Args:
            value: What `to_json` has returned.
            where: What the values are called in messages, such as the file's name.

        Raises:
            UserError: A key is missing or wrong; it is named.
        """
        fields = Fields(value, where)
        if (version := fields.integer("version")) != VERSION:
            raise fields.wrong("version", f"{version}; this program reads {VERSION}")
        origin = fields.group("origin")
        references = None if fields.is_null("references") else fields.integer("references", least=1)
        metric = None if fields.is_null("metric") else fields.text("metric")
        known: tuple[Metric, ...] = get_args(Metric)
        if metric is not None and metric not in known:
            raise fields.wrong("metric", f"{metric!r}; expected one of {', '.join(known)}")
        return cls(
            points=_points(fields),
            queries=fields.integer("queries", least=1),
            references=references,
            origin=Origin(
                model=origin.text("model"),
                preprocessing=origin.text("preprocessing"),
                postprocessing=origin.text("postprocessing"),
            ),
            metric=next((name for name in known if name == metric), None),
            protocol=fields.text("protocol"),
        )


def calibrate(evaluation: Evaluation, *, origin: Origin, metric: Metric | None) -> Calibration:
    """Keep of an evaluation what thresholds are chosen from.

    Args:
        evaluation: Of descriptors, or of predictions.
        origin: What made its descriptors; `Origin()` where it is not known.
        metric: How they were compared; None where it is not known.

    Raises:
        ValueError: A score is NaN.
    """
    figures = evaluation.figures
    return Calibration(
        points=operating_points(evaluation.candidates),
        queries=figures.queries,
        references=figures.references,
        origin=origin,
        metric=metric,
        protocol=figures.protocol,
    )


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration as a JSON file.

    Raises:
        UserError: The file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(calibration.to_json()) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file.

    Raises:
        UserError: The file cannot be read, is not JSON, or a key is missing or wrong.
    """
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read calibration {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON; give a calibration that was written here") from error
    return Calibration.from_json(value, where=str(path))


def _points(fields: Fields) -> OperatingPoints:
    scores = fields.numbers("scores")
    right, wrong = fields.integers("right", least=1), fields.integers("wrong")
    true_pairs = fields.integer("true_pairs", least=1)
    for key, values in (("right", right), ("wrong", wrong)):
        if len(values) != len(scores):
            raise fields.wrong(key, f"{len(values)} values beside {len(scores)} scores")
    if any(a <= b for a, b in pairwise(scores)):
        raise fields.wrong("scores", "scores out of order; expected falling ones")
    if any(a >= b for a, b in pairwise(right)) or any(n > true_pairs for n in right):
        raise fields.wrong("right", f"counts that do not rise to {true_pairs} true pairs at most")
    if any(a > b for a, b in pairwise(wrong)):
        raise fields.wrong("wrong", "counts that fall; expected rising ones")
    return OperatingPoints(tuple(scores), tuple(right), tuple(wrong), true_pairs)
