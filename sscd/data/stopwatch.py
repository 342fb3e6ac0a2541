"""How long describing took, and over how many pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic


@dataclass
class Stopwatch:
    """Wall time and pictures of one run of a command.

    Attributes:
        seconds: Spent describing.
        pictures: Described in that time.
    """

    seconds: float = 0.0
    pictures: int = 0

    @property
    def seconds_a_picture(self) -> float | None:
        """The mean; None where nothing was described."""
        return self.seconds / self.pictures if self.pictures else None

    @contextmanager
    def over(self, pictures: int) -> Iterator[None]:
        """Add what the block takes, which describes so many pictures."""
        begun = monotonic()
        yield
        self.seconds += monotonic() - begun
        self.pictures += pictures
