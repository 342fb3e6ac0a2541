"""Figures at more references than were searched (DISC21, Douze et al. 2021, section 4.4).

References that are added hold no further copies. At a given threshold the recall stays, and N times
the references give N times the wrong pairs: T right and F wrong pairs make the precision
T / (T + N·F). The queries stay the same, or in the same mixture of copies and distractors.
"""

import dataclasses

import numpy as np

from sscd.errors import UserError
from sscd.evaluation.metrics import PrecisionRecall


def extrapolated_precision(precision: float, *, times: float) -> float:
    """Return the precision of the same threshold at `times` the references.

    The paper's example: precision 0.8 at recall 0.6 on a million references falls to 0.29 on ten
    million, where the recall is still 0.6.

    Raises:
        ValueError: `precision` is not within 0 and 1.
        UserError: `times` is not a positive number.

    >>> round(extrapolated_precision(0.8, times=10), 2)
    0.29
    """
    if not 0 <= precision <= 1:
        raise ValueError(f"got precision {precision}; expected within 0 and 1")
    check_times(times)
    return precision / (precision + times * (1 - precision))


def extrapolated_curve(curve: PrecisionRecall, *, times: float) -> PrecisionRecall:
    """Return the curve at `times` the references: the same recall, scores and order.

    Its average precision is the micro-AP to be expected there.

    Raises:
        UserError: `times` is not a positive number.
    """
    check_times(times)
    found = np.cumsum(curve.correct)
    wrong = np.arange(1, len(found) + 1) - found
    return dataclasses.replace(curve, precision=found / (found + times * wrong))


def check_times(times: float) -> None:
    """Check a factor by which the references grow.

    Raises:
        UserError: It is not a positive number.
    """
    if not 0 < times < float("inf"):
        raise UserError(f"{times} times the references: give a positive number")
