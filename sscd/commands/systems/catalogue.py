"""The rows that were asked for, in the paper's order, and what is left out of them."""

import importlib.metadata
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sscd.baselines.gist.descriptor import DIMS as GIST_DIMS
from sscd.baselines.gist.system import gist_system
from sscd.baselines.hashes import PictureHash, hash_system, installed_hashes
from sscd.commands.export_model import name_of_checkpoint
from sscd.commands.systems.network_plans import NetworkPlans
from sscd.commands.systems.plan import RowName, SystemPlan
from sscd.errors import UserError
from sscd.models.describer import DeviceName

_GIST_PCA = 256


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

    @property
    def processes(self) -> int:
        """How many decode."""
        return min(4, os.cpu_count() or 1) if self.workers is None else self.workers

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


@dataclass(frozen=True)
class Catalogue:
    """The rows of a table.

    Attributes:
        plans: In their order.
        left_out: One line a row that is not there, and why.
    """

    plans: tuple[SystemPlan, ...]
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, options: SystemOptions, *, work: Path, training: int) -> "Catalogue":
        """Look at all networks, and say what can be measured.

        Args:
            options: Checked.
            work: Where descriptors of networks are kept.
            training: Training pictures of the data set.

        Raises:
            UserError: A network cannot be used, two are the same, two rows have one name, or there
                is no row.
        """
        left_out: list[str] = []
        networks = NetworkPlans(options, work, training, left_out)
        plans = [
            *_gist(options, training, left_out),
            *networks.multigrain(),
            *networks.how(),
            *_hashes(options, left_out),
            *networks.checkpoints(),
        ]
        if not plans:
            raise UserError(f"the table has no row: {'; '.join(left_out) or 'give --checkpoint'}")
        _check_names(plans)
        return cls(tuple(plans), tuple(left_out))


def _gist(options: SystemOptions, training: int, left_out: list[str]) -> Iterator[SystemPlan]:
    if not options.wants("gist"):
        return
    workers = options.processes
    yield SystemPlan(
        name="GIST 960",
        settings={"row": "gist", "dims": GIST_DIMS},
        build=lambda skipped: gist_system(dims=960, workers=workers, skipped=skipped),
        note="no training; 32×32 pixels",
    )
    if training < _GIST_PCA:
        left_out.append(
            f"GIST, PCA 256: PCA to 256 dimensions needs as many training pictures, got {training}"
        )
        return
    yield SystemPlan(
        name="GIST, PCA 256",
        settings={"row": "gist", "dims": _GIST_PCA},
        build=lambda skipped: gist_system(dims=256, workers=workers, skipped=skipped),
        note=f"PCA of {training:,} training pictures; 32×32 pixels",
    )


def _hashes(options: SystemOptions, left_out: list[str]) -> Iterator[SystemPlan]:
    if not options.wants("hashes"):
        return
    found = installed_hashes()
    left_out += found.left_out
    for one in found.hashes:
        yield _hash(one, workers=options.processes)


def _hash(one: PictureHash, *, workers: int) -> SystemPlan:
    library = f"{one.library} {importlib.metadata.version(one.library)}"
    return SystemPlan(
        name=one.name,
        settings={"row": "hashes", "library": library},
        build=lambda skipped: hash_system(one, workers=workers, skipped=skipped),
        note=f"{one.bits} bits, no training; {library}",
    )


def _check_names(plans: Sequence[SystemPlan]) -> None:
    """Check that each row can be told from the others by its name.

    Raises:
        UserError: It cannot.
    """
    for number, plan in enumerate(plans):
        if any(plan.name == other.name for other in plans[:number]):
            raise UserError(
                f"two rows of the table are called {plan.name}; call a checkpoint otherwise by "
                "--names"
            )
