"""The data of a page's scripts, as JSON that no id or name can break out of."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sscd.evaluation.report import Report
from sscd.evaluation.thresholds import ENOUGH_WRONG
from sscd.report.contents import Contents, Shown
from sscd.report.page.pictures import Wanted, numbers_of

# Within a script element only these can end it, or a line of the script.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
_LARGEST = 1.7976931348623157e308


def script_json(value: object) -> str:
    """JSON for `<script type="application/json">`.

    Infinite numbers become the largest ones, which compare with scores as they do.

    Raises:
        ValueError: A number is NaN.
    """
    text = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPES)


def pictures_json(images: Sequence[bytes | None]) -> str:
    """Pictures in the order of their numbers, as JSON of base64; null where there is none."""
    return json.dumps([None if one is None else base64.b64encode(one).decode() for one in images])


def page_data(contents: Contents, wanted: Mapping[Wanted, int]) -> dict[str, Any]:
    """All that the scripts know: reports as they are, with what belongs to the page alone."""
    return {
        "systems": [_system(shown, wanted) for shown in contents.systems],
        "differences": [one.as_json() for one in contents.differences],
        "enough_wrong": ENOUGH_WRONG,
    }


def _system(shown: Shown, wanted: Mapping[Wanted, int]) -> dict[str, Any]:
    return shown.report.as_json() | {
        "examples": [example.as_json() for example in shown.examples],
        "group": shown.group,
        "points": slider_points(shown.report),
        "pictures": numbers_of(shown, wanted),
    }


def slider_points(report: Report) -> dict[str, list[Any]]:
    """The thresholds that the slider stops at: those of the curve, and those of the table."""
    curve = report.curve
    points = {
        score: (right, wrong)
        for score, right, wrong in zip(
            curve.scores.tolist(), curve.right.tolist(), curve.wrong.tolist(), strict=True
        )
    }
    for cell in report.thresholds:
        if math.isfinite(cell.threshold):
            points[cell.threshold] = (round(cell.recall * curve.true_pairs), cell.wrong)
    scores = sorted(points, reverse=True)
    return {
        "scores": scores,
        "right": [points[score][0] for score in scores],
        "wrong": [points[score][1] for score in scores],
    }


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    if isinstance(value, float) and math.isinf(value):
        return math.copysign(_LARGEST, value)
    return value
