"""The rows that were asked for, in the paper's order, and what is left out of them."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sscd.baselines.gist.descriptor import DIMS as GIST_DIMS
from sscd.baselines.gist.system import gist_system
from sscd.baselines.hashes import PictureHash, hash_system, installed_hashes
from sscd.commands.systems.network_plans import NetworkPlans
from sscd.commands.systems.options import SystemOptions
from sscd.commands.systems.plan import SystemPlan
from sscd.errors import UserError

_GIST_PCA = 256


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
