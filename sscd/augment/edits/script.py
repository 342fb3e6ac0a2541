"""Running handwriting that says nothing: letters of a made-up cursive, joined into words."""

import numpy as np

from sscd.augment.edits.pen import Path, smooth_path

# Letters as a pen draws them from left to right, in x-heights, y upwards from the baseline. Each
# begins and ends near the baseline, so that they join.
_LETTERS = (
    ((0.3, 0.35), (0.62, 0.75), (0.4, 1.0), (0.15, 0.6), (0.35, 0.02), (0.75, 0.15)),  # e
    ((0.35, 0.8), (0.55, 1.9), (0.35, 2.1), (0.22, 1.2), (0.35, 0.05), (0.7, 0.15)),  # l
    ((0.15, 0.95), (0.2, 0.05), (0.4, 0.8), (0.62, 0.95), (0.68, 0.1), (0.95, 0.15)),  # n
    ((0.15, 0.95), (0.18, 0.2), (0.42, 0.0), (0.65, 0.9), (0.68, 0.1), (0.95, 0.15)),  # u
    ((0.5, 0.95), (0.15, 0.6), (0.35, 0.0), (0.7, 0.4), (0.5, 0.95), (0.95, 0.75)),  # o
    ((0.6, 0.95), (0.15, 0.5), (0.6, 0.3), (0.62, -0.9), (0.3, -1.0), (0.9, 0.1)),  # g
    ((0.25, 0.5), (0.45, 1.05), (0.62, 0.5), (0.45, 0.0), (0.2, 0.1), (0.85, 0.15)),  # s
    ((0.25, 0.9), (0.38, 1.7), (0.36, 0.6), (0.42, 0.02), (0.6, 0.02), (0.8, 0.2)),  # t
    ((0.6, 0.95), (0.15, 0.55), (0.3, 0.0), (0.66, 0.6), (0.74, 1.9), (0.72, 0.05), (1.0, 0.15)),
    ((0.2, 0.95), (0.22, 0.1), (0.5, 0.95), (0.55, 0.1), (0.85, 0.95), (0.9, 0.05), (1.2, 0.15)),
)
_MOST_LETTERS = 40


def script_line(rng: np.random.Generator, *, length: float, slant: float) -> list[Path]:
    """Write one line of words.

    Args:
        rng: Source of randomness.
        length: How far the line runs, in x-heights; it ends within one word of it, and after 40
            letters at most.
        slant: How far a letter leans to the right over its height.

    Returns:
        A path a word, in x-heights, from (0, 0) on, y downwards.
    """
    words: list[Path] = []
    x, letters = 0.0, 0
    baseline_phase, baseline_depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.3)
    while x < length and letters < _MOST_LETTERS:
        count = int(rng.integers(2, 8))
        word = _word(rng, count)
        word[:, 0] += x
        x = float(word[-1, 0]) + float(rng.uniform(0.6, 1.1))
        letters += count
        word[:, 1] += baseline_depth * np.sin(word[:, 0] / 6 + baseline_phase)
        word[:, 0] += slant * word[:, 1]
        words.append(smooth_path(word * np.array([1.0, -1.0])))
    return words


def _word(rng: np.random.Generator, count: int) -> np.ndarray:
    points: list[tuple[float, float]] = [(0.0, 0.1)]
    x = 0.0
    for letter in rng.integers(len(_LETTERS), size=count).tolist():
        spread = float(rng.uniform(0.85, 1.25))
        points += [(x + dx * spread, y) for dx, y in _LETTERS[letter]]
        x = points[-1][0]
    return np.array(points) + 0.05 * rng.standard_normal((len(points), 2))
