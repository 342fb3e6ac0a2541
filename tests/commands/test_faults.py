"""Disks that are full and folders that vanish amid a training: one line, and nothing is lost."""

import functools
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.resuming import SMALL, checkpoint_of, logged_step, rows_of, wait_until
from tests.conftest import REPOSITORY, Runner, Starter


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    run_script: Runner, tmp_path: Path
) -> None:
    command = (*SMALL, "--data.workers", "0", "--run_dir", "run")
    first = run_script("train.py", *command, "--trainer.max_epochs", "1")
    assert first.returncode == 0, first.stderr
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    before = last.read_bytes()
    # No file of the process may grow past this, as on a disk that is full.
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    full = subprocess.run(
        [sys.executable, str(REPOSITORY / "train.py"), *command, "--ckpt_path", "last"],
        cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert full.returncode == 2, full.stderr
    assert full.stderr.strip().splitlines()[-1] == (
        "sscd: error: cannot write run/checkpoints/last.ckpt: the write stopped midway, the disk "
        "may be full; choose a directory that can be written and has space"
    )
    assert "Traceback" not in full.stderr
    assert last.read_bytes() == before
    assert [path.name for path in sorted(last.parent.iterdir())] == ["best.ckpt", "last.ckpt"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_folder_that_vanishes_keeps_what_was_trained(
    start_script: Starter, run_script: Runner, tmp_path: Path, workers: str
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(700):
        noise = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((48, 32)).save(folder / f"{index}.jpg")
    command = (
        *("--config", "photos", "--data.root", "photos", "--data.workers", workers),
        *("--data.batch_size", "8", "--data.image_size", "32", "--data.inference.size", "32"),
        *("--trainer.log_every_n_steps", "1", "--export", "false", "--compare", "false"),
    )
    run = tmp_path / "runs" / "photos"
    process = start_script("train.py", *command)
    wait_until(process, logged_step(run, 3))
    folder.rename(tmp_path / "elsewhere")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2, errors
    error = errors.strip().splitlines()[-1]
    assert error.startswith("sscd: error: photos/")
    assert error.endswith("check that the data set is complete and its disk is there")
    assert "Traceback" not in errors
    kept = checkpoint_of(run)["global_step"]
    assert kept >= 4
    assert kept == 1 + max(int(row["step"]) for row in rows_of(run)), "no step is lost"

    shutil.move(tmp_path / "elsewhere", folder)
    limit = ("--trainer.max_steps", str(kept + 2), "--trainer.limit_val_batches", "0")
    resumed = run_script("train.py", *command, *limit, "--ckpt_path", "last")
    assert resumed.returncode == 0, resumed.stderr
    steps = [int(row["step"]) for row in rows_of(run) if row["train/loss"]]
    assert steps == list(range(kept + 2))


@pytest.mark.slow
def test_a_launch_that_fails_leaves_no_directory(run_script: Runner, tmp_path: Path) -> None:
    failed = run_script("train.py", *SMALL, "--data.batch_size", "64")
    assert failed.returncode == 2
    assert "less than data.batch_size 64" in failed.stderr
    assert not (tmp_path / "runs").exists()
