"""Trainings with `--logger wandb`, as a user runs them; what they have written is read back."""

import csv
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from PIL import Image

from sscd.evaluation.report import make_report
from sscd.formats.evaluation_file import read_evaluations
from sscd.formats.track2.hdf5_file import read_track2
from sscd.models.fingerprint import network_fingerprint
from sscd.models.loading import load_network
from sscd.training.run.weights_and_biases.panels import SAMPLES
from tests.commands.resuming import (
    SMALL,
    assert_same_runs,
    logged_step,
    start_program,
    wait_until,
)
from tests.conftest import REPOSITORY, Runner, Starter
from tests.offline_wandb import OfflineRun, offline_runs, read_offline
from tests.wandb_servers import KEY, REFUSING, dying_server, failing_server, silent_server

WANDB = (*SMALL, "--trainer.max_epochs", "2", "--logger", "wandb", "--run_dir", "run")
DURING = (
    *("loss", "info_nce", "entropy", "entropy_weight", "positive_similarity"),
    *("negative_similarity", "nearest_negative_similarity", "center_norm", "effective_rank"),
    *("views_per_s", "data_wait"),
)
TABLES = ("false_matches", "missed_copies", "micro_ap_by_edit_table", "precision_recall_table")


def metrics_of(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def assert_history_is_that_of_the_file(run: OfflineRun, folder: Path) -> None:
    """All figures of `metrics.csv` are in W&B, at the same steps."""
    rows = metrics_of(folder)
    for key in (*(f"train/{name}" for name in DURING), "val/micro_ap", "val/recall_at_p90"):
        expected = {int(row["step"]): float(row[key]) for row in rows if row[key]}
        assert run.values(key) == pytest.approx(expected), key
        assert expected, key


@pytest.mark.slow
def test_a_training_is_in_wandb_whole(run_script: Runner, tmp_path: Path) -> None:
    done = run_script("train.py", *WANDB, "--wandb.tags", "[a, b]", "--wandb.project", "mine")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "wandb:" not in done.stderr
    folder = tmp_path / "run"
    (run,) = offline_runs(folder)
    assert "`wandb sync run/wandb/offline-run-*` uploads it" in done.stdout
    assert (run.project, run.name, run.exit_code) == ("mine", "run", 0)
    assert_history_is_that_of_the_file(run, folder)
    assert any(key.startswith("lr-") for row in run.history for key in row)
    best = max(run.values("val/micro_ap").values())
    assert run.summary["val/micro_ap"]["max"] == pytest.approx(best)
    assert len(run.values("val/false_matches")) == 2
    for key in TABLES:
        assert run.table(f"val/{key}"), key

    settings = yaml.safe_load((run.folder / "files" / "resolved_config.yaml").read_text())
    assert run.config["model"] == json.loads(json.dumps(settings["model"]))
    assert settings["wandb"]["tags"] == ["a", "b"]
    assert run.config["training_data"]["pictures"] == 50
    assert len(run.config["training_data"]["names_digest"]) == 16
    assert "git" in run.config

    images = [
        path
        for artifact in run.artifact_of("run_table")
        for name, path in artifact.files.items()
        if name.endswith(".jpg")
    ]
    assert images
    for path in images:
        with Image.open(path) as picture:
            picture.load()
            assert max(picture.size) <= 128

    models, descriptors = run.artifact_of("model"), run.artifact_of("descriptors")
    assert len(models) == len(descriptors) == 2, "one a validation"
    assert models[0].aliases == descriptors[0].aliases == ["best", "latest"]
    for model, described in zip(models, descriptors, strict=True):
        trained = load_network(model.files["checkpoint.ckpt"])
        fingerprint = network_fingerprint(trained.network)
        assert model.metadata["model_fingerprint"] == fingerprint
        track2 = read_track2(described.files["track2.h5"])
        assert track2.attributes["model_fingerprint"] == fingerprint
        assert (len(track2.queries), len(track2.references)) == (10, 12)

    (judged,) = read_evaluations(folder / "evaluation.h5")
    report = make_report(judged, samples=SAMPLES)
    assert report.figures.micro_ap == pytest.approx(best)
    step = int(judged.facts["step"]) - 1
    assert run.values("val/micro_ap")[step] == pytest.approx(best)
    assert report.micro_ap_interval
    assert run.values("val/micro_ap_low")[step] == report.micro_ap_interval.low
    kept = load_network(folder / "checkpoints" / "best.ckpt")
    assert judged.origin.model == network_fingerprint(kept.network)


@pytest.mark.slow
def test_two_ranks_write_one_run_and_train_as_without_wandb(
    run_script: Runner, tmp_path: Path
) -> None:
    ranks = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--trainer.accelerator", "cpu")
    small = (*WANDB, *ranks, "--wandb.artifacts", "best", "--wandb.pictures", "0")
    done = run_script("train.py", *small)
    assert done.returncode == 0, done.stderr
    (run,) = offline_runs(tmp_path / "run")
    assert_history_is_that_of_the_file(run, tmp_path / "run")
    assert all("best" in artifact.aliases for artifact in run.artifact_of("model"))
    assert not run.values("val/false_matches")
    plain = run_script("train.py", *small, "--logger", "csv", "--run_dir", "plain")
    assert plain.returncode == 0, plain.stderr
    assert_same_runs(tmp_path / "run", tmp_path / "plain")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_stopped_training_ends_its_run_and_goes_on_in_it(
    start_script: Starter, run_script: Runner, tmp_path: Path, number: int, status: int
) -> None:
    process = start_script("train.py", *WANDB, "--save_every", "1")
    wait_until(process, logged_step(tmp_path / "run", 7))
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    done = run_script("train.py", *WANDB, "--ckpt_path", "last")
    assert done.returncode == 0, done.stderr
    first, second = offline_runs(tmp_path / "run")
    assert first.run_id == second.run_id
    assert (first.exit_code, first.preempting) == (status, status == 75)
    assert second.exit_code == 0
    steps = [*first.values("train/loss"), *second.values("train/loss")]
    assert steps == list(range(12)), "no step is lost, and none comes twice"
    plain = run_script("train.py", *WANDB, "--logger", "csv", "--run_dir", "plain")
    assert plain.returncode == 0, plain.stderr
    assert_same_runs(tmp_path / "run", tmp_path / "plain")


def start_online(folder: Path, address: str, *arguments: str) -> "subprocess.Popen[str]":
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_BASE_URL", address)
        patch.setenv("WANDB_API_KEY", KEY)
        patch.setenv("WANDB_MODE", "online")
        return start_program(folder, str(REPOSITORY / "train.py"), *WANDB, *arguments)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["refusing", "failing", "silent"])
def test_a_server_that_cannot_be_had_makes_the_run_offline(tmp_path: Path, kind: str) -> None:
    servers = {"failing": failing_server, "silent": silent_server}
    if kind == "refusing":
        process = start_online(tmp_path, REFUSING)
        out, errors = process.communicate(timeout=200)
    else:
        with servers[kind]() as address:
            process = start_online(tmp_path, address)
            out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert errors.count("warning:") == 1, errors
    assert "Weights & Biases cannot be reached" in errors
    (run,) = offline_runs(tmp_path / "run")
    assert "`wandb sync run/wandb/offline-run-*` uploads it" in out
    assert_history_is_that_of_the_file(run, tmp_path / "run")
    assert len(run.artifact_of("model")) == 2


@pytest.mark.slow
def test_a_server_that_dies_during_the_run_costs_no_row(tmp_path: Path) -> None:
    with dying_server() as (address, dead):
        process = start_online(tmp_path, address, "--wandb.wait", "6")
        wait_until(process, logged_step(tmp_path / "run", 3))
        dead.set()
        out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors, errors
    (folder,) = (tmp_path / "run" / "wandb").glob("run-*-*")
    assert f"{address}/somebody/sscd/runs/" in out
    assert f"`wandb sync run/wandb/{folder.name}` uploads what is kept" in errors
    assert_history_is_that_of_the_file(read_offline(folder), tmp_path / "run")


@pytest.mark.slow
def test_a_client_that_is_killed_stops_nothing(start_script: Starter, tmp_path: Path) -> None:
    process = start_script("train.py", *WANDB)
    wait_until(process, logged_step(tmp_path / "run", 2))
    for child in _children(process.pid):
        if "wandb-core" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(child, signal.SIGKILL)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert errors.count("the training goes on") == 1, errors
    assert "Traceback" not in errors, errors
    assert len(metrics_of(tmp_path / "run")) >= 12


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    threads = Path(f"/proc/{process}/task").iterdir()
    listed += [child for thread in threads for child in (thread / "children").read_text().split()]
    return [int(child) for child in dict.fromkeys(listed)]
