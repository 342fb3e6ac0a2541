"""Trainings that start from weights: which are taken, what stays frozen, what a resume does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from lightning.pytorch import Callback

from sscd.errors import UserError
from sscd.models.checkpoint import read_checkpoint
from sscd.training.cli import TrainCLI
from tests.commands.small import write_checkpoint

TINY = (
    *("--data.procedural.size", "32", "--data.procedural.training", "8"),
    *("--data.procedural.references", "4", "--data.procedural.copies", "2"),
    *("--data.procedural.distractors", "1", "--data.image_size", "32"),
    *("--data.inference.size", "32", "--data.batch_size", "4", "--data.workers", "0"),
    *("--trainer.accelerator", "cpu", "--trainer.enable_model_summary", "false"),
    *("--model.network.backbone", "resnet18", "--model.network.dims", "16"),
    *("--model.optimizer.name", "sgd", "--model.optimizer.reference_batch", "null"),
    *("--model.optimizer.lr", "0.001"),
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def train(*arguments: str, run: str = "run") -> TrainCLI:
    return TrainCLI([*TINY, *arguments], default_run=Path(run))


def weights_in(path: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = read_checkpoint(path)["state_dict"]
    return {k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")}


def test_the_training_starts_there_and_says_so_in_its_record(tmp_path: Path) -> None:
    start = write_checkpoint(tmp_path / "start.ckpt", seed=5)
    # A rate of next to nothing: what is trained shows where it started.
    still = ("--model.optimizer.lr", "1e-12", "--trainer.max_epochs", "1")
    cli = train("--model.weights", "start.ckpt", "--model.freeze_batch_norm", "true", *still)
    before, after = weights_in(start), weights_in(cli.run.last)
    assert all(torch.equal(before[k], after[k]) for k in before if "running" in k)
    for key, value in before.items():
        torch.testing.assert_close(after[key], value, atol=1e-6, rtol=0)
    recipe = read_checkpoint(cli.run.last)["sscd"]["recipe"]
    assert recipe["weights"] == "start.ckpt"
    assert recipe["freeze_batch_norm"] is True
    saved = yaml.safe_load(cli.run.config.read_text())
    assert saved["model"]["weights"] == str(start.absolute()), "it replays from any directory"


def test_statistics_move_unless_they_are_frozen(tmp_path: Path) -> None:
    start = write_checkpoint(tmp_path / "start.ckpt")
    cli = train("--model.weights", "start.ckpt", "--trainer.max_steps", "2")
    before, after = weights_in(start), weights_in(cli.run.last)
    assert not torch.equal(before["backbone.bn1.running_mean"], after["backbone.bn1.running_mean"])


def test_another_dimension_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(tmp_path / "start.ckpt", dims=8)
    train("--model.weights", "start.ckpt", "--trainer.max_steps", "1")
    lines = [line for line in capsys.readouterr().err.splitlines() if "warning:" in line]
    told = [line for line in lines if "8 dimensions, and model.network.dims is 16" in line]
    assert len(told) == 1, "once"


def test_a_resumed_training_needs_no_file(tmp_path: Path) -> None:
    start = write_checkpoint(tmp_path / "start.ckpt")
    first = train("--model.weights", str(start), "--trainer.max_epochs", "1")
    reached = weights_in(first.run.last)
    start.unlink()
    again = train(
        *("--model.weights", str(start), "--trainer.max_epochs", "2"),
        *("--run_dir", "run", "--ckpt_path", "last", "--model.optimizer.lr", "1e-12"),
    )
    assert again.trainer.global_step == 2 * first.trainer.global_step
    for key, value in weights_in(again.run.last).items():
        if "running" not in key and "num_batches" not in key:
            torch.testing.assert_close(value, reached[key], atol=1e-6, rtol=0)


def test_what_is_wrong_is_said_before_the_data_are_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.weights none\.pt is neither imagenet nor a file"):
        train("--model.weights", "none.pt", "--data.root", "nowhere")
    write_checkpoint(tmp_path / "start.ckpt")
    other = ("--model.network.backbone", "resnet34")
    with pytest.raises(UserError, match="holds a resnet18"):
        train("--model.weights", "start.ckpt", *other)
    with pytest.raises(UserError, match="did you mean resnet18"):
        train("--model.network.backbone", "resnet180")


class Modes(Callback):
    """Notes, in each step, which layers are in the mode of training."""

    def __init__(self) -> None:
        self.norms: set[bool] = set()
        self.others: set[bool] = set()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, *args: Any) -> None:
        for module in pl_module.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                self.norms.add(module.training)
            elif isinstance(module, torch.nn.Conv2d):
                self.others.add(module.training)


@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_layers_stay_so_after_every_validation(frozen: bool) -> None:
    class Noted(TrainCLI):
        modes = Modes()

        def instantiate_trainer(self, **kwargs: Any) -> Any:
            trainer = super().instantiate_trainer(**kwargs)
            trainer.callbacks.append(self.modes)  # type: ignore[attr-defined]
            return trainer

    frozen_too = ("--model.freeze_batch_norm", str(frozen).lower())
    Noted.modes = Modes()
    Noted([*TINY, *frozen_too, "--trainer.max_epochs", "2"], default_run=Path("run"))
    assert Noted.modes.norms == {not frozen}
    assert Noted.modes.others == {True}


def test_rates_fall_with_depth_and_resume_so(tmp_path: Path) -> None:
    decay = ("--model.optimizer.layer_decay", "0.5", "--model.optimizer.warmup_epochs", "0")
    first = train(*decay, "--model.optimizer.lr", "0.08", "--trainer.max_epochs", "2")
    rates = [group["initial_lr"] for group in first.trainer.optimizers[0].param_groups]
    assert rates == pytest.approx([0.08 / 2**k for k in range(6)])
    again = ("--run_dir", "run", "--ckpt_path", "last", "--trainer.max_epochs", "3")
    second = train(*again, "--model.optimizer.layer_decay", "0.25", "--model.optimizer.lr", "0.16")
    rates = [group["initial_lr"] for group in second.trainer.optimizers[0].param_groups]
    assert rates == pytest.approx([0.16 / 4**k for k in range(6)])
    with pytest.raises(UserError, match=r"was trained with layer_decay, and .* is 1\.0"):
        train(*again)
