"""Trainings with a classifier and the margin loss, as Multigrain's: what is kept and resumed."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from sscd.data.labels import Labels
from sscd.errors import UserError
from sscd.models.checkpoint import read_checkpoint
from sscd.models.loading import load_network
from sscd.training.beside import BesideNetwork
from sscd.training.cli import TrainCLI
from sscd.training.module import CopyDetector
from tests.commands.resuming import assert_same_runs
from tests.commands.small import write_checkpoint
from tests.training.test_start import TINY

CLASSES = ("--model.classification.weight", "0.25", "--data.labels", "labels.csv")
MARGIN = (
    *("--model.objective.loss", "margin", "--model.objective.entropy_weight", "0.5"),
    *("--data.views", "3", "--model.network.head", "none", "--model.network.dims", "512"),
    *("--model.network.gem_p_inference", "7", "--model.optimizer.momentum", "0.5"),
    *("--trainer.log_every_n_steps", "1", "--trainer.max_epochs", "2"),
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_labels({f"T{number:06d}": "abc"[number % 3] for number in range(8)})
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def write_labels(classes: dict[str, str]) -> None:
    lines = [f"{picture},{name}\n" for picture, name in classes.items()]
    Path("labels.csv").write_text("".join(["picture,class\n", *lines]))


def train(*arguments: str, run: str = "run") -> TrainCLI:
    return TrainCLI([*TINY, *arguments], default_run=Path(run))


def logged(run: str = "run") -> list[dict[str, float]]:
    with (Path(run) / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("train/loss")]
    return [{key: float(value) for key, value in row.items() if value} for row in rows]


def test_classifier_and_beta_learn_and_are_not_exported() -> None:
    cli = train(*CLASSES, *MARGIN)
    content = read_checkpoint(cli.run.last)
    state = content["state_dict"]
    assert state["beside.classifier.weight"].shape == (3, 512)
    assert state["beside.beta"].shape == ()
    assert float(state["beside.beta"]) != pytest.approx(1.2, abs=1e-7)
    assert not any("classes" in key for key in state), "they follow from the data"
    recipe = content["sscd"]["recipe"]
    assert recipe["objective"]["loss"] == "margin"
    assert "temperature" not in recipe["objective"], "it is not in force"
    digest = recipe["classification"].pop("classes_digest")
    assert (len(digest), recipe["classification"]) == (16, {"weight": 0.25, "classes": 3})
    trained = load_network(cli.run.last)
    assert not any("beside" in key for key in trained.network.state_dict())
    assert trained.recipe["objective"]["margin"]["alpha"] == 0.2
    for row in logged():
        objective = row["train/margin"] + 0.5 * row["train/entropy"]
        expected = 0.25 * row["train/cross_entropy"] + 0.75 * objective
        assert row["train/loss"] == pytest.approx(expected, rel=1e-5)
        assert 0 <= row["train/accuracy"] <= 1
        assert "train/info_nce" not in row
    saved = yaml.safe_load(cli.run.config.read_text())
    assert saved["data"]["labels"] == str(Path("labels.csv").absolute()), "it replays anywhere"
    betas = [row["train/beta"] for row in logged()]
    assert len(set(betas)) == len(betas) == 4


def test_a_teacher_is_heard_in_full_beside_a_classifier() -> None:
    teacher = write_checkpoint(Path("teacher.ckpt"), dims=24, seed=3)
    taught = ("--model.teacher.path", str(teacher), "--model.teacher.weight", "0.5")
    train(*CLASSES, *taught, "--trainer.log_every_n_steps", "1", "--trainer.max_epochs", "1")
    for row in logged():
        objective = row["train/info_nce"] + row["train/entropy_weight"] * row["train/entropy"]
        expected = 0.25 * row["train/cross_entropy"] + 0.75 * objective
        assert row["train/distillation"] > 0
        assert row["train/loss"] == pytest.approx(expected + row["train/distillation"], rel=1e-4)


class CutShortError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("micro_batch", ["null", "2"])
def test_a_resumed_training_is_the_same_bit_for_bit(
    micro_batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = (*CLASSES, *MARGIN, "--model.micro_batch", micro_batch, "--save_every", "1")
    train(*line, run="whole")
    step = CopyDetector.training_step

    def fail_at_the_last(self: CopyDetector, batch: Any, batch_idx: int) -> Any:
        if self.trainer.global_step == 3:
            raise CutShortError
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patched:
        patched.setattr(CopyDetector, "training_step", fail_at_the_last)
        with pytest.raises(CutShortError):
            train(*line, run="cut")
    train(*line, "--run_dir", "cut", "--ckpt_path", "last")
    assert_same_runs(Path("cut"), Path("whole"))


@pytest.mark.slow
def test_micro_batches_reach_the_classifier_too() -> None:
    still = ("--model.freeze_batch_norm", "true", "--trainer.max_steps", "1")
    for micro_batch in ("null", "1"):
        train(*CLASSES, *MARGIN, *still, "--model.micro_batch", micro_batch, run=micro_batch)
    whole, parts = (read_checkpoint(Path(run) / "checkpoints/last.ckpt") for run in ("null", "1"))
    for key, value in whole["state_dict"].items():
        torch.testing.assert_close(parts["state_dict"][key], value, atol=1e-5, rtol=1e-4, msg=key)


def test_what_is_resumed_has_the_same_beside_its_network() -> None:
    beside = BesideNetwork(beta=None)
    beside.check_resumable({}, {})  # a checkpoint of before there were classes
    ours = Labels(("a", "b"), np.array([0, 1, 0]))
    same = {"classification": {"classes": 2, "classes_digest": ours.digest}}
    other = {"classification": {"classes": 2, "classes_digest": "0" * 16}}
    with pytest.raises(UserError, match="with 2 classes, and there are none now"):
        beside.check_resumable({}, same)
    with pytest.raises(UserError, match="has a β that is learnt"):
        beside.check_resumable({"beside.beta": 1.0}, {})
    beside.learn_classes(ours, dims=3)
    beside.check_resumable({}, same)
    with pytest.raises(UserError, match="with 2 classes, and there are 2 others now"):
        beside.check_resumable({}, other)
    with pytest.raises(UserError, match="with no classes, and there are 2 now"):
        beside.check_resumable({}, {"classification": None})
    with pytest.raises(UserError, match="has no β that is learnt"):
        BesideNetwork(beta=1.2).check_resumable({}, {})


@pytest.mark.slow
def test_other_classes_are_not_resumed() -> None:
    still = ("--trainer.max_steps", "1", "--trainer.limit_val_batches", "0")
    train(*CLASSES, *MARGIN, *still)
    again = ("--run_dir", "run", "--ckpt_path", "last", *MARGIN)
    with pytest.raises(UserError, match="was trained with 3 classes, and there are none now"):
        train(*again)
    write_labels({f"T{number:06d}": "abd"[number % 3] for number in range(8)})
    with pytest.raises(UserError, match="was trained with 3 classes, and there are 3 others now"):
        train(*again, *CLASSES)
    with pytest.raises(UserError, match="has a β that is learnt; resume with the same"):
        train(
            *("--run_dir", "plain", "--ckpt_path", "run/checkpoints/last.ckpt", *MARGIN),
            *("--model.objective.margin.beta_rate", "0", *plain_classes()),
        )


def plain_classes() -> tuple[str, ...]:
    write_labels({f"T{number:06d}": "abc"[number % 3] for number in range(8)})
    return CLASSES


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("--data.mixup.probability", "0.5"), "a mixed view has no one class"),
        (("--data.mixup.overlay", "0.5"), "a mixed view has no one class"),
        (("--data.labels", "none.csv"), r"data\.labels .*none\.csv cannot be read"),
        (("--model.classification.weight", "0"), r"data\.labels .*labels\.csv is for a classifier"),
        (("--data.labels", "null"), "8 of 8 training pictures lie in no folder"),
        (("--model.classification.weight", "1.5"), "weight got 1.5; expected a share, 0 to 1"),
        (("--model.objective.loss", "other"), "loss.*other"),
        (("--model.objective.margin.beta", "3"), "beta got 3.0; expected a distance"),
        (("--model.objective.contrastive.negatives", "0"), "negatives got 0; expected at least 1"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(line: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        train(*CLASSES, *MARGIN, *line)
    assert "\n" not in str(raised.value)


def test_the_contrastive_loss_takes_a_memory() -> None:
    train(
        *("--model.objective.loss", "contrastive", "--model.memory.size", "6"),
        *("--model.objective.entropy_weight", "0", "--trainer.log_every_n_steps", "1"),
        *("--trainer.max_epochs", "2", "--trainer.limit_val_batches", "0"),
    )
    rows = logged()
    assert [row["train/loss"] for row in rows] == [row["train/contrastive"] for row in rows]
    state = read_checkpoint(Path("run/checkpoints/last.ckpt"))["state_dict"]
    assert int(state["memory.count"]) == 6
    assert not any(key.startswith("beside") for key in state)
