"""From which similarity on two pictures are copies, as a trained network carries it with it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class MatchThreshold:
    """The score from which pairs are accepted, and what it holds for.

    It holds for collections of about as many references as it was chosen with: with more of them,
    more wrong pairs pass it (DISC21 paper, section 4.4).

    Attributes:
        score: Minus the squared L2 distance of two descriptors, as track 2 ranks; pairs at or above
            it are accepted.
        precision: Share of accepted pairs that were right.
        recall: Share of the true pairs that were accepted; None where it is not known.
        references: How many pictures each query was compared with; None where it is not known.
        preprocessing: How pictures were resized, as in `288 square`.
        source: What it was learnt on, for people.
        note: Why it is not to be trusted, if so.
    """

    score: float
    precision: float
    recall: float | None
    references: int | None
    preprocessing: str
    source: str
    note: str = ""

    @property
    def similarity(self) -> float:
        """The cosine at that distance: `‖a − b‖² = 2 − 2·cos` for unit rows."""
        return 1 + self.score / 2

    @property
    def squared_distance(self) -> float:
        """The squared L2 distance up to which pairs are accepted."""
        return -self.score

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the score in the other two ways of writing it."""
        others = {"similarity": self.similarity, "squared_distance": self.squared_distance}
        return asdict(self) | others

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `as_json` has returned.

        Raises:
            TypeError: A value is missing, or of another kind.
            ValueError: The score is no finite number.
        """
        known = {field.name: value[field.name] for field in fields(cls) if field.name in value}
        numbers = ("score", "precision", "recall", "references")
        for name, found in known.items():
            optional = name in ("recall", "references") and found is None
            kinds = (float, int) if name in numbers else (str,)
            if not optional and (isinstance(found, bool) or not isinstance(found, kinds)):
                raise TypeError(f"{name} got {str(found)[:40]!r}; expected a {kinds[0].__name__}")
        read = cls(**known)
        if not math.isfinite(read.score):
            raise ValueError(f"score got {read.score}; expected a finite number")
        return read


def threshold_of_figures(figures: Mapping[str, Any]) -> MatchThreshold | None:
    """The threshold at 90 % precision of a training's validation.

    Args:
        figures: As `sscd.evaluation.protocol.CopyFigures.as_json` gives them, and `preprocessing`.

    Returns:
        None where the validation reached no such precision, or there was none.
    """
    score = figures.get("threshold_at_p90")
    if not isinstance(score, float | int) or not math.isfinite(score):
        return None
    return MatchThreshold(
        score=float(score),
        precision=0.9,
        recall=figures.get("recall_at_p90"),
        references=figures.get("references"),
        preprocessing=str(figures.get("preprocessing", "")),
        source="the validation of the training",
    )
