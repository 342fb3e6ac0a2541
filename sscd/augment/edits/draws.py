"""What several operations draw in the same way."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from sscd.augment.edits.operation import IntegerRange, Range
from sscd.augment.operations import Color

Choice = TypeVar("Choice", bound=str)


def uniform(rng: np.random.Generator, values: Range) -> float:
    """A number of a range."""
    return float(rng.uniform(*values))


def log_uniform(rng: np.random.Generator, values: Range) -> float:
    """A number of a range above 0, its logarithm uniform."""
    low, high = values
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def integer(rng: np.random.Generator, values: IntegerRange) -> int:
    """A whole number of a range, both ends included."""
    low, high = values
    return int(rng.integers(low, high + 1))


def choice(rng: np.random.Generator, names: Sequence[Choice]) -> Choice:
    """One of some names."""
    return names[int(rng.integers(len(names)))]


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Whether something of that probability happens; nothing is drawn where it is certain."""
    return probability > 0 and (probability >= 1 or float(rng.random()) < probability)


def sign(rng: np.random.Generator) -> int:
    """1 or −1."""
    return 1 if rng.random() < 0.5 else -1


def seed(rng: np.random.Generator) -> int:
    """A seed for what draws its own numbers."""
    return int(rng.integers(1 << 31))


def plain_color(rng: np.random.Generator) -> Color:
    """Black, white or any colour, a third each: what fills borders in practice."""
    kind = int(rng.integers(3))
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return ((0, 0, 0), (255, 255, 255), (red, green, blue))[kind]


def bounded_scale(size: tuple[float, float], *, pixels: float) -> float:
    """By what to multiply both sides so that the area is `pixels` at most; 1 where it is."""
    return min(1.0, math.sqrt(pixels / (size[0] * size[1])))
