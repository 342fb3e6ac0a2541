"""How the processes of a training were started, and what the trainer must know of it.

Lightning takes the number of processes from its own settings. Left open under two nodes of torchrun
or SLURM with one GPU each, they mean one process, and each process would train alone. So the
launcher is asked, and settings that contradict it are refused.
"""

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.lsf import LSFEnvironment
from lightning.fabric.plugins.environments.mpi import MPIEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.nn.parallel import DistributedDataParallel

from sscd.errors import UserError
from sscd.training.ranks.joint_strategy import JointStrategy
from sscd.training.ranks.meeting import Meeting
from sscd.training.ranks.rank_environment import RankEnvironment, whole_number
from sscd.training.run.run_directory import is_launched_child

Launcher = Literal["torchrun", "SLURM", "variables", "own"]

_NAMES: dict[Launcher, str] = {
    "torchrun": "torchrun",
    "SLURM": "SLURM",
    "variables": "WORLD_SIZE",
    "own": "the trainer",
}
COLLECTIVE_TIMEOUT = timedelta(hours=1)
"""How long ranks wait for one another: all wait while one searches or prepares the data."""


@dataclass(frozen=True)
class Launch:
    """The processes of one training.

    Attributes:
        launcher: Who starts them: `torchrun`, `SLURM` (srun), somebody who sets RANK and WORLD_SIZE
            as Kubernetes operators do (`variables`), or the first process of each node (`own`).
        processes: On each node; None where the visible devices say it.
        nodes: How many there are.
        environment: What tells Lightning of it; None where Lightning finds out by itself.
    """

    launcher: Launcher
    processes: int | None
    nodes: int
    environment: ClusterEnvironment | None = None

    def meeting(self, environ: Mapping[str, str] = os.environ) -> Meeting | None:
        """Where processes that are started one by one meet; None for one that starts the others."""
        if self.launcher != "own" and self.environment is not None:
            alone = self.environment.world_size() == 1
            return None if alone else Meeting.of(self.environment)
        if self.nodes == 1 or "LOCAL_RANK" in environ or "MASTER_ADDR" not in environ:
            return None
        return Meeting(
            environ["MASTER_ADDR"],
            whole_number(environ, "MASTER_PORT"),
            rank=whole_number(environ, "NODE_RANK"),
            ranks=self.nodes,
        )

    def settings(self, trainer: Mapping[str, Any], *, gpus: int) -> dict[str, Any]:
        """What the trainer is built with, beside the configured values that remain.

        Args:
            trainer: The configured `devices`, `num_nodes`, `strategy` and `plugins`.
            gpus: Those that this process sees and may use; 0 trains on the CPU.

        Raises:
            UserError: The configuration contradicts the launcher.
        """
        wanted = count_devices(trainer["devices"])
        given = trainer["plugins"] or []
        plugins = [*given] if isinstance(given, list | tuple) else [given]
        if self.environment and not any(isinstance(p, ClusterEnvironment) for p in plugins):
            plugins.append(self.environment)
        settings: dict[str, Any] = {"plugins": plugins}
        if self.processes is not None:
            self._refuse_others(wanted, trainer["num_nodes"], gpus=gpus)
            settings["num_nodes"] = self.nodes
            if wanted is None:
                settings["devices"] = self.processes
        each = self.processes or wanted or gpus or 1
        strategy: str | Strategy = trainer["strategy"]
        if strategy == "ddp" or (strategy == "auto" and each * self.nodes > 1):
            settings["strategy"] = data_parallel()
        return settings

    def _refuse_others(self, wanted: int | None, nodes: int, *, gpus: int) -> None:
        started = f"{_NAMES[self.launcher]} says that {self.processes} on each of {self.nodes} run"
        if wanted not in (None, self.processes):
            raise UserError(
                f"trainer.devices asks for {wanted} processes a node, and {started}; "
                f"leave it at auto, or start {wanted}"
            )
        if nodes not in (1, self.nodes):
            raise UserError(
                f"trainer.num_nodes is {nodes}, and {started}; leave it out, or start {nodes} nodes"
            )
        if 0 < gpus < (self.processes or 1):
            raise UserError(
                f"{started}, and this process sees {gpus} GPU(s); let each see all of its node "
                "(SLURM: --gpus-per-node in place of --gpus-per-task), or start fewer"
            )
        more = {"variables": "start it with torchrun", "SLURM": f"ask for --ntasks-per-node {gpus}"}
        if wanted is None and self.launcher in more and gpus > (self.processes or 1):
            raise UserError(
                f"{started}, and this process sees {gpus} GPUs; {more[self.launcher]} to use them "
                f"all, or give --trainer.devices {self.processes}"
            )


def find_launch(trainer: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Launch:
    """Who started this process, and with how many others.

    Args:
        trainer: The configured `devices` and `num_nodes`.
        environ: The environment variables.

    Raises:
        UserError: The variables contradict one another, or several nodes are asked for and nothing
            says which this is.
    """
    if "TORCHELASTIC_RUN_ID" in environ:
        ranks, each = (whole_number(environ, key) for key in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
        return Launch("torchrun", each, _nodes(ranks, each, "torchrun"), TorchElasticEnvironment())
    if found := _slurm(environ):
        return found
    if found := _variables(environ, trainer):
        return found
    nodes = int(trainer["num_nodes"])
    if LSFEnvironment.detect() or MPIEnvironment.detect():
        return Launch("own", None, nodes)
    missing = [key for key in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK") if key not in environ]
    if nodes > 1 and missing:
        raise UserError(
            f"trainer.num_nodes is {nodes}, and nothing says which node this is; start with "
            f"torchrun or srun, or set {', '.join(missing)} on each node"
        )
    # Lightning would take the one task of a batch script for a rank of srun's.
    alone = LightningEnvironment() if "SLURM_NTASKS" in environ else None
    return Launch("own", None, nodes, alone)


def count_devices(devices: Any) -> int | None:
    """How many devices a node a value of `trainer.devices` names; None where it leaves that open.

    >>> [count_devices(value) for value in ("auto", -1, "2", 8, [0, 3], "1,2")]
    [None, None, 2, 8, 2, 2]
    """
    if devices in ("auto", -1, "-1"):
        return None
    if isinstance(devices, list | tuple):
        return len(devices)
    text = str(devices)
    if "," in text:
        return len([part for part in text.split(",") if part.strip()])
    return int(text) if text.strip().isdigit() else None


def visible_gpus(accelerator: Any) -> int:
    """How many GPUs this process may train on."""
    return torch.cuda.device_count() if accelerator in ("auto", "gpu", "cuda") else 0


def data_parallel() -> DDPStrategy:
    """DDP without a second copy of the gradients, and without a broadcast in each step.

    Batch statistics are synchronised, or made those of rank 0 where they are read: in validation.
    """
    known = inspect.signature(DistributedDataParallel).parameters
    buffers = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    options: dict[str, Any] = {"gradient_as_bucket_view": True, buffers: False}
    return JointStrategy(timeout=COLLECTIVE_TIMEOUT, **options)


def _slurm(environ: Mapping[str, str]) -> Launch | None:
    if "SLURM_NTASKS" not in environ:
        return None
    if environ.get("SLURM_JOB_NAME") in ("bash", "interactive"):  # as Lightning sees it
        return None
    ranks = whole_number(environ, "SLURM_NTASKS")
    if "SLURM_STEP_NUM_TASKS" not in environ:  # a batch script itself, which runs once
        if ranks == 1:
            return None
        raise UserError(
            f"SLURM gave this job {ranks} tasks, and srun did not start this process; "
            "put srun before the command"
        )
    if ranks == 1:
        return Launch("SLURM", 1, 1, SLURMEnvironment(auto_requeue=False))
    if "SLURM_NTASKS_PER_NODE" not in environ:
        raise UserError(
            f"srun started {ranks} tasks without a number a node; give --ntasks-per-node"
        )
    each = whole_number(environ, "SLURM_NTASKS_PER_NODE")
    nodes = _nodes(ranks, each, "srun")
    if nodes != whole_number(environ, "SLURM_NNODES"):
        raise UserError(
            f"srun started {ranks} tasks at {each} a node on {environ['SLURM_NNODES']} nodes; "
            "give --nodes and --ntasks-per-node that fit"
        )
    return Launch("SLURM", each, nodes, SLURMEnvironment(auto_requeue=False))


def _variables(environ: Mapping[str, str], trainer: Mapping[str, Any]) -> Launch | None:
    if "RANK" not in environ or "WORLD_SIZE" not in environ:
        return None
    if is_launched_child(environ):  # its RANK is that of the first process of its node
        return None
    ranks = whole_number(environ, "WORLD_SIZE")
    if ranks == 1:
        return None
    if "LOCAL_WORLD_SIZE" in environ:
        each = whole_number(environ, "LOCAL_WORLD_SIZE")
    elif "LOCAL_RANK" not in environ:
        each = 1
    else:
        each = count_devices(trainer["devices"]) or max(1, ranks // int(trainer["num_nodes"]))
    nodes = _nodes(ranks, each, "WORLD_SIZE")
    environment = RankEnvironment(environ, processes=each)
    return Launch("variables", each, nodes, environment)


def _nodes(ranks: int, each: int, launcher: str) -> int:
    if each < 1 or ranks % each:
        raise UserError(
            f"{launcher} gives {ranks} processes at {each} a node; start as many on each node"
        )
    return ranks // each
