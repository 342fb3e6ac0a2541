"""Training and export end to end, on a few small pictures, as a user runs them."""

import csv
import json
import signal
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml

from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import read_ground_truth
from sscd.evaluation.protocol import evaluate_descriptors
from sscd.formats.track2.hdf5_file import read_track2
from tests.conftest import Runner, Starter

TINY = (
    *("--data.procedural.size", "32", "--data.procedural.training", "24"),
    *("--data.procedural.references", "12", "--data.procedural.copies", "6"),
    *("--data.procedural.distractors", "4", "--data.image_size", "32"),
    *("--data.inference.size", "32", "--data.batch_size", "8", "--data.workers", "0"),
    *("--trainer.max_epochs", "2", "--compare", "false", "--export", "false"),
)


def metrics_of(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def micro_aps(run: Path) -> list[float]:
    return [float(row["val/micro_ap"]) for row in metrics_of(run) if row["val/micro_ap"]]


def check_saved_configuration(path: Path) -> None:
    saved = yaml.safe_load(path.read_text())
    assert saved["model"]["network"] == {
        "backbone": "resnet18",
        "dims": 256,
        "head": "linear",
        "last_stage": 4,
        "pooling": "gem",
        "gem_p": 3.0,
        "gem_p_inference": None,
        "gem_p_learnt": False,
        "scales": [1.0],
        "mirror": False,
    }
    assert saved["data"]["batch_size"] == 8
    assert saved["seed_everything"] == 0
    assert "image_size" not in saved["model"], "linked values are saved once"


def test_the_main_job(run_script: Runner, tmp_path: Path) -> None:
    done = run_script("train.py", *TINY, "--compare", "true", "--export", "true")
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "quickstart"
    for expected in ("6 copies among 10 queries, 12 references", "untrained", "perceptual hash"):
        assert expected in done.stdout
    assert f"{run.relative_to(tmp_path)}/track2.h5: 10 queries and 12 references" in done.stdout
    track2 = read_track2(run / "track2.h5")
    assert track2.queries.shape == (10, 256)
    np.testing.assert_allclose(np.linalg.norm(track2.references, axis=1), 1, atol=1e-5)
    assert len(micro_aps(run)) == 2
    assert "Traceback" not in done.stderr
    check_saved_configuration(run / "config.yaml")

    replayed = run_script("train.py", "--config", str(run / "config.yaml"), "--export", "false")
    assert replayed.returncode == 0, replayed.stderr
    assert micro_aps(tmp_path / "runs" / "quickstart-2") == micro_aps(run)


@pytest.mark.slow
def test_export_reads_a_checkpoint_and_whitens(run_script: Runner, tmp_path: Path) -> None:
    done = run_script("train.py", *TINY, "--data.cache", "cache", "--model.network.dims", "8")
    assert done.returncode == 0, done.stderr
    (root,) = (tmp_path / "cache").glob("procedural-*")
    (root / "references" / "R000001.jpg").write_bytes(b"broken")
    command = (
        *("--checkpoint", "runs/quickstart/checkpoints/best.ckpt", "--workers", "0"),
        *("--queries", str(root / "dev_queries"), "--references", str(root / "references")),
        *("--output", "out/track2.h5"),
    )
    plain = run_script("export.py", *command)
    assert plain.returncode == 0, plain.stderr
    first = read_track2(tmp_path / "out" / "track2.h5")
    assert first.references.shape == (11, 8)
    assert "R000001" not in first.reference_ids
    assert "R000001.jpg" in (tmp_path / "out" / "track2.h5.skipped.txt").read_text()
    assert "1 picture could not be read" in plain.stderr

    whitened = run_script("export.py", *command, "--training", str(root / "train"), "--dims", "4")
    assert whitened.returncode == 0, whitened.stderr
    second = read_track2(tmp_path / "out" / "track2.h5")
    assert second.references.shape == (11, 4)
    assert second.attributes["postprocessing"] == '["whiten to 4 dimensions"]'
    with h5py.File(tmp_path / "out" / "track2.h5") as file:
        assert sorted(file) == ["query", "query_ids", "reference", "reference_ids"]
        assert file["query_ids"].dtype.kind == "S"
    lines = (root / "edits.jsonl").read_text().splitlines()
    assert {json.loads(line)["query_id"] for line in lines} == set(second.query_ids)


@pytest.mark.slow
def test_ctrl_c_and_resume_give_the_run_that_was_not_interrupted(
    run_script: Runner, start_script: Starter, tmp_path: Path
) -> None:
    # Enough epochs for the interrupt to come before the end on a busy machine, too.
    command = (*TINY, "--trainer.max_epochs", "20")
    whole, run = run_script("train.py", *command, "--run_dir", "runs/whole"), tmp_path / "runs/half"
    assert whole.returncode == 0, whole.stderr
    process = start_script("train.py", *command, "--run_dir", "runs/half", "--json")
    while process.poll() is None and not (run / "checkpoints" / "last.ckpt").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert json.loads(printed).items() >= {"run": "runs/half", "ended": "interrupted"}.items()
    assert "interrupted; go on with the same command and --ckpt_path last" in errors
    assert "Traceback" not in errors

    resumed = run_script("train.py", *command, "--run_dir", "runs/half", "--ckpt_path", "last")
    assert resumed.returncode == 0, resumed.stderr
    assert not run.with_name("half-2").exists()
    expected = micro_aps(run.with_name("whole"))
    assert len(expected) == 20
    assert micro_aps(run) == expected
    assert (run / "config-resumed-1.yaml").exists()


@pytest.mark.slow
def test_two_processes_train_and_validate_as_one(run_script: Runner, tmp_path: Path) -> None:
    command = (*TINY, "--trainer.max_epochs", "1", "--trainer.accelerator", "cpu")
    two = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--export", "true")
    done = run_script("train.py", *command, *two)
    assert done.returncode == 0, done.stderr
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["quickstart"]
    assert done.stdout.count("12 references, 10 queries") == 1
    # The export is of one process; what two validated together must be the same.
    (micro_ap,) = micro_aps(tmp_path / "runs" / "quickstart")
    track2 = read_track2(tmp_path / "runs" / "quickstart" / "track2.h5")
    (truth,) = (tmp_path / "cache").rglob("dev_queries_groundtruth.csv")
    evaluation = evaluate_descriptors(
        Descriptors(track2.query_ids, track2.queries),
        Descriptors(track2.reference_ids, track2.references),
        read_ground_truth(truth),
    )
    assert micro_ap == pytest.approx(evaluation.figures.micro_ap, abs=1e-6)


def test_wandb_runs_offline_without_a_key(run_script: Runner, tmp_path: Path) -> None:
    done = run_script("train.py", *TINY, "--logger", "wandb", "--trainer.max_epochs", "1")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "runs/quickstart/wandb").glob("offline-run-*/run-*.wandb"))
    assert len(micro_aps(tmp_path / "runs/quickstart")) == 1


@pytest.mark.slow
def test_broken_training_pictures_are_counted(run_script: Runner, tmp_path: Path) -> None:
    first = run_script("train.py", *TINY, "--trainer.max_epochs", "1", "--data.cache", "cache")
    assert first.returncode == 0, first.stderr
    (root,) = (tmp_path / "cache").glob("procedural-*")
    picture = root / "train" / "T000003.jpg"
    picture.write_bytes(picture.read_bytes()[:300])
    command = (*TINY, "--data.root", str(root), "--run_dir", "runs/broken")
    done = run_script("train.py", *command)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("1 picture could not be read") == 1
    assert "T000003.jpg" in (tmp_path / "runs/broken/skipped.txt").read_text()


def test_divergence_stops_with_advice(run_script: Runner, tmp_path: Path) -> None:
    command = (*TINY, "--model.optimizer.lr", "1e30", "--model.objective.entropy_delay", "0")
    done = run_script("train.py", *command, "--model.objective.entropy_ramp", "0")
    assert done.returncode == 2
    error = done.stderr.strip().splitlines()[-1]
    assert error.startswith("sscd: error: training diverged at step ")
    assert "entropy weight 2;" in error
    assert "lower model.objective.entropy_weight" in error
    assert "Traceback" not in done.stderr


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(40):
        noise = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((60, 40)).save(folder / f"{index}.jpg")
    return folder


@pytest.mark.slow
def test_a_folder_smaller_than_a_batch(run_script: Runner, small_folder: Path) -> None:
    done = run_script("train.py", "--config", "photos", "--data.root", str(small_folder))
    assert done.returncode == 2
    assert "training pictures, less than data.batch_size 64" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_folder_trains(run_script: Runner, small_folder: Path, tmp_path: Path) -> None:
    command = ("--config", "photos", "--data.root", str(small_folder), "--data.workers", "0")
    small = ("--data.batch_size", "8", "--data.image_size", "32", "--data.inference.size", "32")
    done = run_script("train.py", *command, *small, "--trainer.max_epochs", "1")
    assert done.returncode == 0, done.stderr
    assert read_track2(tmp_path / "runs/photos/track2.h5").queries.shape[1] == 256


@pytest.mark.slow
def test_resume_refuses_another_network(run_script: Runner, tmp_path: Path) -> None:
    command = (*TINY, "--trainer.max_epochs", "1")
    assert run_script("train.py", *command).returncode == 0
    changed = ("--ckpt_path", "last", "--model.network.dims", "64")
    done = run_script("train.py", *command, *changed)
    assert done.returncode == 2
    assert "dims 256, and model.network.dims is 64" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_resumed_run_takes_the_new_learning_rate(run_script: Runner, tmp_path: Path) -> None:
    command = (*TINY, "--trainer.log_every_n_steps", "1")
    assert run_script("train.py", *command, "--trainer.max_epochs", "3").returncode == 0
    shorter = run_script("train.py", *command, "--ckpt_path", "last", "--trainer.max_epochs", "1")
    assert shorter.returncode == 2
    assert shorter.stderr.strip().splitlines()[-1].startswith("sscd: error: trainer: ")
    assert "Traceback" not in shorter.stderr
    longer = ("--ckpt_path", "last", "--trainer.max_epochs", "4", "--model.optimizer.lr", "1e-6")
    done = run_script("train.py", *command, *longer)
    assert done.returncode == 0, done.stderr
    rates = [
        float(row["lr-AdamW/pg1"])
        for row in metrics_of(tmp_path / "runs" / "quickstart")
        if row["lr-AdamW/pg1"]
    ]
    assert max(rates[:9]) > 1e-4
    assert 0 < max(rates[9:]) <= 1e-6


@pytest.mark.slow
def test_an_epoch_without_validation_is_saved_too(run_script: Runner, tmp_path: Path) -> None:
    command = (*TINY, "--trainer.max_epochs", "3", "--trainer.check_val_every_n_epoch", "2")
    done = run_script("train.py", *command)
    assert done.returncode == 0, done.stderr
    saved = {
        name: torch.load(
            tmp_path / "runs" / "quickstart" / "checkpoints" / f"{name}.ckpt", weights_only=True
        )["global_step"]
        for name in ("best", "last")
    }
    assert saved == {"best": 6, "last": 9}
