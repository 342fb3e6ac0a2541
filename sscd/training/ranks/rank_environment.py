"""Processes whose environment says RANK and WORLD_SIZE, as Kubernetes operators set them."""

from collections.abc import Mapping
from typing import Any

from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment

from sscd.errors import UserError


class RankEnvironment(ClusterEnvironment):
    """Tells Lightning what RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT say.

    Without LOCAL_RANK each process is alone on its node (or in its pod).

    Args:
        environ: The environment variables.
        processes: On each node.

    Raises:
        UserError: A variable is missing, or no number, or the rank is not below the count.
    """

    def __init__(self, environ: Mapping[str, str], *, processes: int) -> None:
        super().__init__()
        missing = [key for key in ("MASTER_ADDR", "MASTER_PORT") if not environ.get(key)]
        if missing:
            raise UserError(
                f"WORLD_SIZE is {environ.get('WORLD_SIZE')}, and {' and '.join(missing)} is not "
                "set; give the host of rank 0 and a free port there"
            )
        self._world = whole_number(environ, "WORLD_SIZE")
        self._rank = whole_number(environ, "RANK")
        self._local = whole_number(environ, "LOCAL_RANK") if "LOCAL_RANK" in environ else 0
        self._address = environ["MASTER_ADDR"]
        self._port = whole_number(environ, "MASTER_PORT")
        self._processes = processes
        if self._rank >= self._world or self._local >= processes:
            raise UserError(
                f"RANK={self._rank}, LOCAL_RANK={self._local}, WORLD_SIZE={self._world} with "
                f"{processes} processes a node; ranks count from 0 and stay below the number"
            )

    @property
    def creates_processes_externally(self) -> bool:
        """Somebody else has started them all."""
        return True

    @property
    def main_address(self) -> str:
        """The host of rank 0."""
        return self._address

    @property
    def main_port(self) -> int:
        """The port on it."""
        return self._port

    @staticmethod
    def detect() -> bool:
        """Never by Lightning: `sscd.training.ranks.launch` chooses."""
        return False

    def world_size(self) -> int:
        """How many processes there are."""
        return self._world

    def set_world_size(self, size: int) -> None:
        """Lightning reckons it from its settings; the environment is right."""

    def global_rank(self) -> int:
        """This process among all."""
        return self._rank

    def set_global_rank(self, rank: int) -> None:
        """Lightning reckons it from its settings; the environment is right."""

    def local_rank(self) -> int:
        """This process among those of its node."""
        return self._local

    def node_rank(self) -> int:
        """This process's node."""
        return self._rank // self._processes

    def validate_settings(self, num_devices: int, num_nodes: int) -> None:
        """Check that Lightning reckons with as many processes.

        Raises:
            ValueError: It does not.
        """
        if num_devices * num_nodes != self._world:
            raise ValueError(f"{num_nodes} nodes of {num_devices}, and WORLD_SIZE {self._world}")


def whole_number(environ: Mapping[str, Any], key: str) -> int:
    """A variable's value.

    Raises:
        UserError: It is not set or no whole number.
    """
    text = str(environ.get(key, ""))
    if not text.isdigit():
        raise UserError(f"the environment says {key}={text!r}; expected a whole number from 0 on")
    return int(text)
