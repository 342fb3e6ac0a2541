"""What the tables of systems hold: a row a system, and a cell for each system and attack."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measured:
    """Figures of one list of pairs.

    Attributes:
        micro_ap: Micro-AP.
        low: Lower end of its 95 % interval over queries; None where none was asked for.
        high: Upper end, likewise.
        recall_at_p90: Highest recall at a precision of at least 0.9.
    """

    micro_ap: float
    low: float | None
    high: float | None
    recall_at_p90: float


@dataclass(frozen=True)
class SystemRow:
    """One system, measured on one data set.

    Attributes:
        system: What it is called.
        dims: Length of its descriptor; None where it has no global one.
        plain: By its own scores.
        normalised: By scores less β times those of training pictures.
        norm: β and ranks of that, as in `2.0[9]`.
        milliseconds: From a picture's file to its descriptor, on average; None where all had been
            described before, by an earlier version or another command.
        hardware: What that ran on.
        note: How it was made: its training, its input.
        fingerprint: Of its network; empty where it has none.
        missing_pairs: True pairs, counted as missed, of which a picture cannot be read.
        measured: When, UTC, ISO 8601.
        earlier: Whether an earlier call measured it.
    """

    system: str
    dims: int | None
    plain: Measured
    normalised: Measured
    norm: str
    milliseconds: float | None
    hardware: str
    note: str
    fingerprint: str
    missing_pairs: int
    measured: str
    earlier: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class TableFacts:
    """What all rows were measured on.

    Attributes:
        data: Name of the data set.
        training: Training pictures.
        references: Pictures that are searched.
        queries: Queries that the ground truth speaks of.
        copies: True pairs among them.
        protocol: How pairs were chosen; stand it beside the figures.
        left_out: One line a row that is not there, and why.
        unreadable: Pictures of all sets that could not be read.
    """

    data: str
    training: int
    references: int
    queries: int
    copies: int
    protocol: str
    left_out: tuple[str, ...] = ()
    unreadable: int = 0

    @property
    def line(self) -> str:
        """What stands above the table."""
        return (
            f"{self.data}: {self.copies:,} copies among {self.queries:,} queries, "
            f"{self.references:,} references, {self.training:,} training pictures; {self.protocol}"
        )


@dataclass(frozen=True)
class AttackRow:
    """The systems on queries that were perturbed against one network, or on the queries as are.

    Attributes:
        model: The network that was attacked; "none" for the queries as they are.
        psnr: What was aimed at, in dB; None for the queries as they are.
        measured_psnr: Mean over the files that were searched, in dB; None likewise.
        micro_ap: System → micro-AP without normalisation.
        white_box: The systems whose own network was attacked.
    """

    model: str
    psnr: float | None
    measured_psnr: float | None
    micro_ap: Mapping[str, float]
    white_box: Sequence[str] = ()

    @property
    def label(self) -> str:
        """The row's heading."""
        return "none" if self.psnr is None else f"{self.model}, {self.psnr:g} dB"


@dataclass(frozen=True)
class AttackTable:
    """The paper's table 3.

    Attributes:
        rows: Without an attack first.
        queries: How many queries: those with a match that every attack holds.
        matched: Queries of the data set that have a match.
    """

    rows: tuple[AttackRow, ...]
    queries: int
    matched: int

    @property
    def line(self) -> str:
        """What stands above the table."""
        of = "" if self.queries == self.matched else f" of {self.matched:,}"
        return f"micro-AP without normalisation on {self.queries:,}{of} queries that have a match"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
