"""Runs that are killed, or told to stop, and go on: they end as if nothing had happened."""

import csv
import signal
import time
from pathlib import Path

import pytest

from tests.commands.resuming import (
    SMALL,
    Condition,
    assert_same_runs,
    checkpoint_of,
    kill_when,
    logged_step,
    start_program,
    validated,
    wait_until,
)
from tests.conftest import REPOSITORY, Runner, Starter

LAST = ("--ckpt_path", "last")
CHANGING = (
    *("--data.progression", "[[0, 16], [0.5, 32]]", "--data.local.views", "2"),
    *("--data.local.size", "16", "--data.gentle.views", "1", "--data.unedited", "negatives"),
    *("--data.curriculum.until", "0.7", "--data.curriculum.share", "0.5"),
    *("--model.memory.size", "16", "--model.micro_batch", "3"),
)
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--trainer.accelerator", "cpu")


def writing(run: Path) -> Condition:
    """The checkpoint is being written."""
    folder = run / "checkpoints"
    return lambda: any(part.stat().st_size > 1_000_000 for part in folder.glob(".last.ckpt.*.part"))


def test_a_killed_run_goes_on_bit_for_bit(
    run_script: Runner, start_script: Starter, tmp_path: Path
) -> None:
    command = (*SMALL, "--save_every", "2")
    whole = run_script("train.py", *command, "--run_dir", "whole")
    assert whole.returncode == 0, whole.stderr
    run, cut = tmp_path / "cut", (*command, "--run_dir", "cut", "--ckpt_path", "auto")
    kill_when(start_script("train.py", *cut), logged_step(run, 3))
    resumed = run_script("train.py", *cut)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_runs(run, tmp_path / "whole")


@pytest.mark.slow
def test_stopped_and_killed_runs_go_on_bit_for_bit(
    run_script: Runner, start_script: Starter, tmp_path: Path
) -> None:
    command = (*SMALL, "--save_every", "2")
    whole = run_script("train.py", *command, "--run_dir", "whole")
    assert whole.returncode == 0, whole.stderr
    run, cut = tmp_path / "cut", (*command, "--run_dir", "cut", "--ckpt_path", "auto")

    process = start_script("train.py", *cut)
    wait_until(process, logged_step(run, 2))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75, errors
    assert "sscd: SIGTERM: stops after this step; again to stop at once" in errors
    assert errors.splitlines()[-1].endswith(
        "stopped by SIGTERM; go on with the same command and --ckpt_path last"
    )
    stopped_at = checkpoint_of(run)["global_step"]
    assert stopped_at >= 3

    process = start_script("train.py", *cut)
    kill_when(process, writing(run))
    assert checkpoint_of(run)["global_step"] >= stopped_at
    assert list((run / "checkpoints").glob(".*.part")), "killed while it wrote"

    process = start_script("train.py", *cut)
    kill_when(process, validated(run, 2))

    resumed = run_script("train.py", *cut)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_runs(run, tmp_path / "whole")
    assert not list((run / "checkpoints").glob(".*.part"))
    assert not (run / ".lock").exists()
    with (run / "metrics.csv").open(newline="") as file:
        speeds = [row["train/views_per_s"] for row in csv.DictReader(file)]
    assert all(float(speed) > 0.1 for speed in speeds if speed), "the clock began with the run"


@pytest.mark.slow
def test_what_cannot_go_on_exactly_is_refused(run_script: Runner, tmp_path: Path) -> None:
    command = (*SMALL, "--run_dir", "run")
    assert run_script("train.py", *command).returncode == 0
    shorter = ("--data.batch_size", "16", "--trainer.max_epochs", "4", *LAST)
    refused = run_script("train.py", *command, *shorter)
    assert refused.returncode == 2, refused.stderr
    assert "raise trainer.max_epochs, or keep data.batch_size" in refused.stderr.splitlines()[-1]
    amid = ("--trainer.val_check_interval", "3", "--trainer.accumulate_grad_batches", "2")
    refused = run_script("train.py", *SMALL, *amid, "--run_dir", "amid")
    assert refused.returncode == 2, refused.stderr
    assert "give a multiple of 2" in refused.stderr.splitlines()[-1]
    assert not (tmp_path / "amid").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("--trainer.accumulate_grad_batches", "2"),
        ("--trainer.val_check_interval", "2"),
        ("--trainer.check_val_every_n_epoch", "2"),
        ("--trainer.max_steps", "15", "--trainer.max_epochs", "10"),
        ("--model.network.backbone", "efficientnet_b0"),
        ("--model.memory.size", "16", "--model.micro_batch", "3"),
        ("--data.augment_on", "device", "--data.workers", "2", "--data.chunk", "3"),
        CHANGING,
        TWO,
    ],
    ids=lambda options: options[0].rpartition(".")[2],
)
def test_runs_of_all_kinds_go_on_bit_for_bit(
    run_script: Runner, start_script: Starter, tmp_path: Path, options: tuple[str, ...]
) -> None:
    command = (*SMALL, *options, "--save_every", "2")
    whole = run_script("train.py", *command, "--run_dir", "whole")
    assert whole.returncode == 0, whole.stderr
    run, cut = tmp_path / "cut", (*command, "--run_dir", "cut")
    kill_when(start_script("train.py", *cut), logged_step(run, 4))
    for moment in (writing(run), validated(run, 1), logged_step(run, 8)):
        kill_when(start_script("train.py", *cut, *LAST), moment)
    resumed = run_script("train.py", *cut, *LAST)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_runs(run, tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM, signal.SIGINT])
def test_two_ranks_stop_together(
    run_script: Runner, start_script: Starter, tmp_path: Path, number: signal.Signals
) -> None:
    command = (*SMALL, *TWO)
    whole = run_script("train.py", *command, "--run_dir", "whole")
    assert whole.returncode == 0, whole.stderr
    run, cut = tmp_path / "cut", (*command, "--run_dir", "cut")
    process = start_script("train.py", *cut)
    wait_until(process, logged_step(run, 7))
    process.send_signal(number)  # to the first process alone; both stop
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if number is signal.SIGINT else 75), errors
    assert errors.count("go on with the same command and --ckpt_path last") == 1
    assert "Traceback" not in errors
    assert checkpoint_of(run)["global_step"] >= 8
    resumed = run_script("train.py", *cut, *LAST)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_runs(run, tmp_path / "whole")


@pytest.mark.slow
def test_a_validation_is_cut_short_and_done_again(
    run_script: Runner, start_script: Starter, tmp_path: Path
) -> None:
    long = ("--data.procedural.references", "3000", "--data.eval_batch_size", "8")
    command = (*SMALL, *long, "--trainer.max_epochs", "1")
    whole = run_script("train.py", *command, "--run_dir", "whole")
    assert whole.returncode == 0, whole.stderr
    run, cut = tmp_path / "cut", (*command, "--run_dir", "cut")
    process = start_script("train.py", *cut)
    wait_until(process, (run / "checkpoints" / "last.ckpt").exists)  # saved before it validates
    time.sleep(0.1)
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75, errors
    assert not validated(run, 1)()
    resumed = run_script("train.py", *cut, *LAST)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_runs(run, tmp_path / "whole")


@pytest.mark.slow
def test_a_second_signal_stops_at_once(start_script: Starter, tmp_path: Path) -> None:
    process = start_script("train.py", *SMALL, "--trainer.max_epochs", "200")
    wait_until(process, (tmp_path / "runs/quickstart/checkpoints/last.ckpt").exists)
    # Stopped, it cannot end its step: only the second signal is left to be heard when it goes on.
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (143, 75), errors
    assert "Traceback" not in errors
    assert checkpoint_of(tmp_path / "runs/quickstart")["global_step"] >= 6


def test_a_signal_before_the_first_step(start_script: Starter, tmp_path: Path) -> None:
    process = start_script("train.py", *SMALL, "--data.procedural.training", "20000")
    wait_until(process, lambda: any((tmp_path / "cache").rglob("*.jpg")))  # drawn in advance
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75, errors
    assert errors.splitlines()[-1].startswith("sscd: error: stopped by SIGTERM; ")
    assert "Traceback" not in errors
    assert not (tmp_path / "runs").exists(), "what was made for nothing is removed"


@pytest.mark.slow
def test_two_trainings_in_one_run_directory(
    run_script: Runner, start_script: Starter, tmp_path: Path
) -> None:
    command = (*SMALL, "--trainer.max_epochs", "500", "--run_dir", "run")
    process = start_script("train.py", *command)
    wait_until(process, (tmp_path / "run" / "checkpoints" / "last.ckpt").exists)
    second = run_script("train.py", *command, *LAST)
    assert second.returncode == 2
    assert f"another training writes run (process {process.pid} on " in second.stderr
    process.kill()
    process.communicate()
    assert (tmp_path / "run" / ".lock").exists()
    done = checkpoint_of(tmp_path / "run")["epoch"] + 1
    third = run_script("train.py", *command, *LAST, "--trainer.max_epochs", str(done + 1))
    assert third.returncode == 0, third.stderr


@pytest.mark.slow
def test_torchrun_hands_the_signal_on(run_script: Runner, tmp_path: Path) -> None:
    command = (*SMALL, "--trainer.accelerator", "cpu")
    whole = run_script("train.py", *command, *TWO, "--run_dir", "whole")
    assert whole.returncode == 0, whole.stderr
    run = tmp_path / "cut"
    ranks = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    again = ("--run_dir", "cut", "--ckpt_path", "auto")
    cut = (*ranks, str(REPOSITORY / "train.py"), *command, *again)
    process = start_program(tmp_path, *cut)
    wait_until(process, logged_step(run, 7))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, "torchrun's own"
    assert errors.count("stopped by SIGTERM; go on with the same command") == 1
    resumed = start_program(tmp_path, *cut)
    _, errors = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, errors
    assert_same_runs(run, tmp_path / "whole")
