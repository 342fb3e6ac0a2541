"""What the page counts at a threshold, and what it is to count."""

import numpy as np

from sscd.evaluation.judged import Judged
from tests.report.page.chromium import Chromium

FIGURES = ("right", "wrong", "missed", "precision", "recall", "ten", "thousand")


def shown(browser: Chromium) -> dict[str, str]:
    return {name: browser.text(f"#live-{name}") for name in FIGURES}


def expected(one: Judged, threshold: float) -> dict[str, str]:
    """The same, counted from the candidates."""
    candidates = one.evaluation.candidates
    above = candidates.scores >= threshold
    right = np.count_nonzero(above & candidates.correct)
    wrong = np.count_nonzero(above & ~candidates.correct)
    return {
        "right": f"{right:,}",
        "wrong": f"{wrong:,}",
        "missed": f"{candidates.true_pairs - right:,}",
        "precision": f"{right / (right + wrong):.4f}",
        "recall": f"{right / candidates.true_pairs:.4f}",
        "ten": f"{right / (right + 10 * wrong):.4f}",
        "thousand": f"{right / (right + 1000 * wrong):.4f}",
    }


def threshold(browser: Chromium) -> float:
    return float(browser.run("system().points.scores[chosen.at]"))
