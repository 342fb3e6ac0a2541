"""What `sscd table` was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sscd.commands.export_model import name_of_checkpoint
from sscd.commands.systems.plan import RowName
from sscd.data.parallel import decoding_workers
from sscd.errors import UserError
from sscd.models.describer import DeviceName
from sscd.models.seeing import Seeing


@dataclass(frozen=True)
class SystemOptions:
    """What was asked for on a command line.

    Attributes:
        checkpoints: Trained networks, a row or two each.
        names: What they are called.
        multigrain: A Multigrain network; None for no such row.
        how: A HOW network; None for no such row.
        rows: The kinds of rows; None for all that there are.
        words: Visual words of HOW.
        features: Local descriptors of a picture of HOW, at most.
        batch_size: Pictures at once.
        workers: Processes that decode; None for 4, or as many as there are processors.
        device: Where networks and searches run.
        seeing: Settings of the checkpoints that are to be others than their trainings'.
    """

    checkpoints: Sequence[Path] = ()
    names: Sequence[str] = ()
    multigrain: Path | None = None
    how: Path | None = None
    rows: Sequence[RowName] | None = None
    words: int = 65_536
    features: int = 2000
    batch_size: int = 64
    workers: int | None = None
    device: DeviceName = "auto"
    seeing: Seeing = Seeing()

    @property
    def processes(self) -> int:
        """How many decode."""
        return decoding_workers(self.workers)

    def check(self) -> None:
        """Check what can be before anything is read.

        Raises:
            UserError: A row is asked for whose network is not given, one is given twice or for no
                row, or a number is out of range.
        """
        given = {
            "multigrain": ("multigrain", self.multigrain is not None),
            "how": ("how", self.how is not None),
            "checkpoints": ("checkpoint", bool(self.checkpoints)),
        }
        for row, (option, there) in given.items():
            if self.rows is not None and (row in self.rows) != there:
                raise UserError(
                    f"--{option} is given, and --rows lacks {row}; add it, or leave both out"
                    if there
                    else f"--rows {row} needs a network; give --{option}"
                )
        if self.batch_size < 1 or self.processes < 0:
            raise UserError(
                f"--batch_size {self.batch_size} --workers {self.workers}: give a batch of at "
                "least 1 and 0 workers or more"
            )
        if min(self.words, self.features) < 1:
            raise UserError(f"--words {self.words} --features {self.features}: give at least 1")
        files = [path.resolve() for path in self.checkpoints]
        for number, path in enumerate(files):
            if path in files[:number]:
                raise UserError(f"--checkpoint {self.checkpoints[number]} is given twice")
        names = self.called
        if len(names) != len(files):
            raise UserError(
                f"--names gives {len(names)} for {len(files)} checkpoints; give one a checkpoint"
            )
        for number, name in enumerate(names):
            if name in names[:number]:
                raise UserError(
                    f"two checkpoints are called {name}; tell them apart by --names, one each"
                )

    @property
    def called(self) -> list[str]:
        """What the checkpoints are called."""
        return list(self.names) or [name_of_checkpoint(path) for path in self.checkpoints]

    def wants(self, row: RowName) -> bool:
        """Whether rows of a kind were asked for, or none was told from the others."""
        return self.rows is None or row in self.rows
