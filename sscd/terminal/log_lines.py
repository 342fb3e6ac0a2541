"""Progress where there is no terminal: now and then a line, for the logs of long work."""

import math
import sys
import time
from dataclasses import dataclass, field

EVERY_S = 30.0
"""Seconds between lines; what is done before says nothing."""


def pace(done: float, seconds: float, unit: str) -> str:
    """How fast it goes, in a unit that leaves a readable number.

    >>> pace(600, 5.0, "pictures"), pace(3, 60.0, "shards")
    ('120 pictures/s', '3.0 shards/min')
    """
    if seconds <= 0 or done <= 0:
        return f"- {unit}/s"
    rate = done / seconds
    if rate < 1:
        return f"{60 * rate:.1f} {unit}/min"
    return f"{rate:,.0f} {unit}/s" if rate >= 10 else f"{rate:.1f} {unit}/s"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> clock(3671.2)
    '1:01:11'
    """
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


@dataclass
class LogLines:
    """The lines of one piece of work, on standard error.

    Attributes:
        description: What is being done.
        total: How much there is of it; None where that is not known.
        unit: What is counted.
        every: Seconds between lines.
    """

    description: str
    total: int | None
    unit: str
    every: float = field(default_factory=lambda: EVERY_S)
    done: int = 0
    _begun: float = field(init=False)
    _said: float | None = None

    def __post_init__(self) -> None:
        self._begun = time.monotonic()

    def move_to(self, done: int) -> None:
        """Note how much is done, and print a line where the last one is old."""
        self.done = done
        now = time.monotonic()
        if now - (self._begun if self._said is None else self._said) >= self.every:
            self._said = now
            self._print(now - self._begun)

    def end(self) -> None:
        """Print the last line, where the work was long enough for any."""
        seconds = time.monotonic() - self._begun
        if self._said is not None or seconds >= self.every:
            self._print(seconds, ended=True)

    def _print(self, seconds: float, *, ended: bool = False) -> None:
        counted = f"{self.done:,} {self.unit}"
        if self.total:
            counted = f"{self.done:,}/{self.total:,} {self.unit} ({self.done / self.total:.0%})"
        parts = [counted] if self.done or self.total else []
        if self.done:
            parts.append(pace(self.done, seconds, self.unit))
        parts.append(f"{clock(seconds)} passed" if not ended else f"in {clock(seconds)}")
        if self.total and self.done and not ended:
            left = seconds * max(self.total / self.done - 1, 0)
            parts.append(f"{clock(left)} left" if math.isfinite(left) else "")
        print(f"{self.description}: {', '.join(parts)}", file=sys.stderr, flush=True)  # noqa: T201
