"""Random numbers that belong to a pair of rows, whichever rank or block looks at it."""

from torch import Tensor

# One bit less than float32 has, so that the half that is added is not rounded up to 1.
_BITS = 23
# SplitMix64's constants as signed numbers, since torch has no others; products wrap around.
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64


def pair_noise(rows: Tensor, columns: Tensor, *, seed: int) -> Tensor:
    """Evenly distributed numbers between 0 and 1, one for each pair.

    A hash of (seed, row, column) by the finaliser of SplitMix64 (Steele, Lea and Flood 2014): the
    same on any device, and nothing waits for it.

    Args:
        rows: (N,) int64, numbers of rows.
        columns: (M,) int64.
        seed: 64 bits.

    Returns:
        (N, M) float32, never 0 or 1.
    """
    signed = (seed + 2**63) % 2**64 - 2**63
    of_rows = _mixed(rows * _GOLDEN + signed)
    mixed = _mixed(of_rows[:, None] + columns * _GOLDEN)
    noise: Tensor = (_shifted(mixed, 64 - _BITS).float() + 0.5) / 2**_BITS
    return noise


def _mixed(x: Tensor) -> Tensor:
    x = (x ^ _shifted(x, 30)) * _FIRST
    x = (x ^ _shifted(x, 27)) * _SECOND
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, bits: int) -> Tensor:
    """A shift to the right that brings in zeros; torch's brings in the sign."""
    shifted: Tensor = (x >> bits) & (2 ** (64 - bits) - 1)
    return shifted
