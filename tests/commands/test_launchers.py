"""A training under each launcher: real processes that meet over gloo on this machine.

srun and Kubernetes cannot run here; processes started by hand with the variables that they set
stand in for them.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands.test_train_and_export import TINY, metrics_of, micro_aps
from tests.conftest import REPOSITORY
from tests.training.free_port import free_port

TRAIN = str(REPOSITORY / "train.py")
SMALL = (*TINY, "--trainer.max_epochs", "1", "--trainer.accelerator", "cpu")
ODD = ("--data.procedural.references", "13")  # which two ranks cannot share evenly
TORCHRUN = ("-m", "torch.distributed.run")
Command = tuple[tuple[str, ...], dict[str, str]]
Finished = list[subprocess.CompletedProcess[str]]


def run_together(folder: Path, *commands: Command) -> Finished:
    """Start Python with each command and its variables, and wait for all."""
    return wait_for_all(start_together(folder, *commands))


def start_together(folder: Path, *commands: Command) -> list["subprocess.Popen[str]"]:
    settings = {"XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=os.environ | settings | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments, variables in commands
    ]


def wait_for_all(processes: list["subprocess.Popen[str]"]) -> Finished:
    """Five minutes at most."""
    finished = []
    for process in processes:
        try:
            out, err = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            for each in processes:
                each.kill()
            raise
        finished.append(subprocess.CompletedProcess(process.args, process.returncode, out, err))
    return finished


def pods(*, port: int) -> list[dict[str, str]]:
    """What a PyTorchJob's operator, or a pod of an Indexed Job, sets for one process a pod."""
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    return [shared | {"RANK": str(rank)} for rank in range(2)]


def tasks(*, port: int) -> list[dict[str, str]]:
    """What srun sets for one task on each of two nodes."""
    shared = {
        "SLURM_JOB_ID": "4242",
        "SLURM_NTASKS": "2",
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_NNODES": "2",
        "SLURM_NODELIST": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    return [
        shared | {"SLURM_PROCID": str(rank), "SLURM_NODEID": str(rank), "SLURM_LOCALID": "0"}
        for rank in range(2)
    ]


def assert_one_training(folder: Path, finished: Finished) -> None:
    for process in finished:
        assert process.returncode == 0, process.stderr
        assert "Traceback" not in process.stderr
    printed = "".join(process.stdout for process in finished)
    assert printed.count("best checkpoint") == 1, "a rank that trains alone would print it again"
    assert printed.count("13 references") == 1
    assert [path.name for path in (folder / "runs").iterdir()] == ["quickstart"]
    assert [path.name for path in (folder / "runs").rglob("*.csv")] == ["metrics.csv"]
    assert len(micro_aps(folder / "runs" / "quickstart")) == 1


def test_torchrun_on_one_node(tmp_path: Path) -> None:
    command = (*TORCHRUN, "--nproc_per_node", "2", "--master_port", str(free_port()))
    assert_one_training(
        tmp_path, run_together(tmp_path, ((*command, TRAIN, *SMALL, *ODD, *RATE), {}))
    )
    assert max(rates(tmp_path)) == pytest.approx(0.004 * 8 / 4)


RATE = (
    *("--model.optimizer.reference_batch", "4", "--model.optimizer.lr", "0.004"),
    *("--model.optimizer.warmup_epochs", "0", "--trainer.log_every_n_steps", "1"),
)


def rates(folder: Path) -> list[float]:
    """Learning rates that were logged."""
    rows = metrics_of(folder / "runs" / "quickstart")
    return [float(row["lr-AdamW/pg1"]) for row in rows if row["lr-AdamW/pg1"]]


@pytest.mark.slow
def test_the_rate_follows_the_batch_of_all_ranks_and_steps(tmp_path: Path) -> None:
    command = (TRAIN, *SMALL, *RATE, "--trainer.accumulate_grad_batches", "3")
    finished = run_together(tmp_path, *((command, pod) for pod in pods(port=free_port())))
    assert [process.returncode for process in finished] == [0, 0], finished[0].stderr
    assert max(rates(tmp_path)) == pytest.approx(0.004 * 3 * 8 / 4)


@pytest.mark.slow
def test_torchrun_on_two_nodes(tmp_path: Path) -> None:
    command = (
        *(*TORCHRUN, "--nnodes", "2", "--nproc_per_node", "1", "--rdzv_backend", "c10d"),
        *("--rdzv_endpoint", f"127.0.0.1:{free_port()}", "--rdzv_id", "here", TRAIN, *SMALL, *ODD),
    )
    assert_one_training(tmp_path, run_together(tmp_path, (command, {}), (command, {})))


@pytest.mark.slow
def test_variables_of_two_pods(tmp_path: Path) -> None:
    commands = [((TRAIN, *SMALL, *ODD), pod) for pod in pods(port=free_port())]
    assert_one_training(tmp_path, run_together(tmp_path, *commands))


@pytest.mark.slow
def test_variables_of_two_slurm_tasks(tmp_path: Path) -> None:
    commands = [((TRAIN, *SMALL, *ODD), task) for task in tasks(port=free_port())]
    assert_one_training(tmp_path, run_together(tmp_path, *commands))


@pytest.mark.slow
def test_two_nodes_whose_first_processes_start_the_others(tmp_path: Path) -> None:
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    command = (TRAIN, *SMALL, *ODD, "--trainer.num_nodes", "2", "--trainer.devices", "2")
    nodes = [(command, shared | {"NODE_RANK": str(node)}) for node in range(2)]
    assert_one_training(tmp_path, run_together(tmp_path, *nodes))


@pytest.mark.slow
def test_a_second_launch_takes_the_next_directory_and_resumes_it(tmp_path: Path) -> None:
    def train(*options: str) -> Finished:
        commands = [((TRAIN, *SMALL, *ODD, *options), pod) for pod in pods(port=free_port())]
        return run_together(tmp_path, *commands)

    for _ in range(2):
        assert [process.returncode for process in train()] == [0, 0]
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["quickstart", "quickstart-2"]
    resumed = train("--ckpt_path", "last", "--trainer.max_epochs", "2")
    assert [process.returncode for process in resumed] == [0, 0], resumed[0].stderr
    assert len(micro_aps(tmp_path / "runs" / "quickstart-2")) == 2


@pytest.mark.slow
def test_what_all_ranks_refuse_is_said_once(tmp_path: Path) -> None:
    command = (TRAIN, *SMALL, "--data.batch_size", "7")
    finished = run_together(tmp_path, *((command, pod) for pod in pods(port=free_port())))
    assert [process.returncode for process in finished] == [2, 2]
    errors = "".join(process.stderr for process in finished)
    assert errors.count("data.batch_size 7 does not divide by 2 ranks") == 1
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_rank_that_fails_ends_the_others(tmp_path: Path) -> None:
    first, second = pods(port=free_port())
    elsewhere = ("--data.root", str(tmp_path / "nowhere"))
    finished = run_together(
        tmp_path, ((TRAIN, *SMALL), first), ((TRAIN, *SMALL, *elsewhere), second)
    )
    assert [process.returncode for process in finished] == [2, 2]
    assert "another rank has stopped; see its own message" in finished[0].stderr
    assert f"{tmp_path / 'nowhere'}" in finished[1].stderr
    assert "Traceback" not in finished[0].stderr + finished[1].stderr


@pytest.mark.slow
def test_torchrun_ends_all_when_one_refuses(tmp_path: Path) -> None:
    command = (*TORCHRUN, "--nproc_per_node", "2", "--master_port", str(free_port()))
    (done,) = run_together(tmp_path, ((*command, TRAIN, *SMALL, "--trainer.devices", "3"), {}))
    assert done.returncode == 1  # torchrun's own
    assert done.stderr.count("trainer.devices asks for 3 processes a node, and torchrun says") == 1


@pytest.mark.slow
def test_a_signal_to_one_node_saves_and_ends_all(tmp_path: Path) -> None:
    """As when a pod is evicted: all pods must end with the status that has them started again."""
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    endless = ("--trainer.max_epochs", "9999", "--trainer.check_val_every_n_epoch", "9999")
    command = (TRAIN, *SMALL, *endless, "--trainer.num_nodes", "2", "--trainer.devices", "2")
    processes = start_together(
        tmp_path, *((command, shared | {"NODE_RANK": str(node)}) for node in range(2))
    )
    last = tmp_path / "runs" / "quickstart" / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 240
    while not last.exists() and time.monotonic() < deadline:
        assert [process.poll() for process in processes] == [None, None]
        time.sleep(0.1)
    processes[1].send_signal(signal.SIGTERM)
    finished = wait_for_all(processes)
    assert [process.returncode for process in finished] == [75, 75], finished[0].stderr
    errors = "".join(process.stderr for process in finished)
    assert errors.count("--ckpt_path last") == 1
    assert "Traceback" not in errors
