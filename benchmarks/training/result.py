"""What a mode came to."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """The timed steps of one mode in one round.

    Attributes:
        seconds: They took, the device's work included.
        views: Of all devices.
        waited: Seconds of these that the training waited for its loader.
        warm_up_seconds: Of the steps before, compilation included.
    """

    seconds: float
    views: int
    waited: float
    warm_up_seconds: float

    @property
    def views_per_s(self) -> float:
        """Views a second of all devices."""
        return self.views / self.seconds


@dataclass(frozen=True)
class Figure:
    """One line of the table: the medians over rounds.

    Attributes:
        mode: Of `options.MODES`.
        compiled: Whether the steps were compiled.
        views_per_s: Views a second of all devices.
        mfu: Model FLOP utilisation, 0 to 1.
        data_wait: Share of the time spent waiting for the loader.
        warm_up_seconds: Of the steps that were not timed, in the first round.
        peak_memory_gib: Of one device's tensors; of the process so far on a CPU.
    """

    mode: str
    compiled: bool
    views_per_s: float
    mfu: float
    data_wait: float
    warm_up_seconds: float
    peak_memory_gib: float


def figure_of(
    mode: str,
    rounds: Sequence[Measured],
    *,
    compiled: bool,
    flops_a_view: float,
    peak_flops: float,
    peak_memory_gib: float,
) -> Figure:
    """The medians of some rounds.

    Args:
        mode: Of `options.MODES`.
        rounds: What was measured.
        compiled: Whether the steps were compiled.
        flops_a_view: Forward and backward.
        peak_flops: Operations a second of all devices at most.
        peak_memory_gib: Of one device.
    """
    rate = statistics.median(measured.views_per_s for measured in rounds)
    return Figure(
        mode=mode,
        compiled=compiled,
        views_per_s=rate,
        mfu=rate * flops_a_view / peak_flops,
        data_wait=statistics.median(m.waited / m.seconds for m in rounds),
        warm_up_seconds=rounds[0].warm_up_seconds,
        peak_memory_gib=peak_memory_gib,
    )


def ratio(figures: Sequence[Figure], mode: str, to: str, *, compiled: bool) -> float | None:
    """How fast a mode is as a share of another; None where one was not measured."""
    rates = {f.mode: f.views_per_s for f in figures if f.compiled == compiled}
    return rates[mode] / rates[to] if mode in rates and to in rates else None
