"""A Ray cluster: the connection to it, and how many actors it has room for."""

import contextlib
import logging
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sscd.errors import UserError
from sscd.models.describer import DescriberSpec

_ANSWER_S = 20.0


@dataclass(frozen=True)
class Pool:
    """The actors that describe.

    Attributes:
        actors: How many; None for as many as the cluster has room for now.
        cpus: Processors of each; None for one without a GPU, else the loader's workers, or the
            machine's share of a GPU where that is less.
        gpus: GPUs of each; None for one where the cluster has any, else 0.
    """

    actors: int | None = None
    cpus: int | None = None
    gpus: float | None = None


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Yield Ray, connected; a connection that was there before stays.

    Args:
        address: Of the cluster; by default what Ray finds in `RAY_ADDRESS`, or this machine.

    Raises:
        UserError: Ray is not installed, or the cluster not to be reached.
    """
    # Ray's backend would print errors that are none, and a notice about GPUs.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UserError(
            f'--engine ray needs Ray ({error}); pip install "sscd[ray]", or use --engine local'
        ) from error
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS")
    options = {} if address else {"include_dashboard": False}
    try:
        _check_answers(address)
        with _quiet():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"--ray_address {address}: cannot connect to Ray ({reason})") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str | None) -> None:
    """Find out quickly what Ray, silently, tries for many minutes.

    Raises:
        OSError: Nothing answers at the address.
    """
    if match := re.fullmatch(r"(?:ray://)?([^/]+):(\d+)", address or ""):
        socket.create_connection((match[1], int(match[2])), timeout=_ANSWER_S).close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what compiled code writes to standard error; what goes wrong is raised besides."""
    before = os.dup(2)
    with Path(os.devnull).open("w", encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def settle(pool: Pool, ray: Any, spec: DescriberSpec) -> Pool:
    """Fill in what was left open by what the cluster has.

    Raises:
        UserError: No machine has room for an actor, or GPUs are asked for and there is none.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    has_gpus = any(machine.get("GPU", 0) for machine in machines) and spec.device != "cpu"
    gpus = float(has_gpus) if pool.gpus is None else pool.gpus
    if spec.device == "cuda" and not gpus:
        raise UserError("--device cuda: the Ray cluster has no GPU for actors; use --device cpu")
    cpus = pool.cpus
    if cpus is None:
        shares = [m.get("CPU", 0) * gpus // m["GPU"] for m in machines if gpus and m.get("GPU")]
        cpus = max(1, min([spec.workers, *map(int, shares)])) if gpus else 1
    room = sum(
        int(min(m.get("CPU", 0) // cpus, m.get("GPU", 0) // gpus if gpus else float("inf")))
        for m in machines
    )
    if pool.actors is None and not room:
        raise UserError(
            f"no machine of the Ray cluster has {cpus} CPUs and {gpus:g} GPUs for an actor; lower "
            "--cpus_per_actor or --gpus_per_actor, or give --actors where machines will join"
        )
    return Pool(actors=pool.actors or room, cpus=cpus, gpus=gpus)
