"""The average of the weights: a naive twin, what describes, and trainings that are cut short."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from torch import Tensor

from sscd.errors import UserError
from sscd.models.checkpoint import read_checkpoint
from sscd.models.loading import load_network
from sscd.training.averaging import AverageConfig
from sscd.training.cli import TrainCLI
from sscd.training.module import CopyDetector
from tests.training.test_start import TINY

AVERAGED = ("--model.average.decay", "0.4", "--trainer.max_epochs", "2")
PREFIXES = ("network.", "training_network.")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def train(*arguments: str, run: str = "run", cli: type[TrainCLI] = TrainCLI) -> TrainCLI:
    return cli([*TINY, *arguments], default_run=Path(run))


def state_in(path: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = read_checkpoint(path)["state_dict"]
    return state


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def assert_equal(left: dict[str, Tensor], right: dict[str, Tensor]) -> None:
    assert left.keys() == right.keys()
    for key, value in left.items():
        torch.testing.assert_close(right[key], value, rtol=0, atol=0, msg=key)


def test_settings() -> None:
    assert [AverageConfig(decay=0.9).decay_at(step) for step in (1, 9, 81, 10**6)] == [
        0.1,
        0.5,
        0.9,
        0.9,
    ]
    assert AverageConfig().as_record() is None
    for decay in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match=r"average\.decay got .*; expected 0 to below 1"):
            AverageConfig(decay)


class Notes(Callback):
    """Keeps the weights before the first step, after each, and in each validation."""

    def __init__(self) -> None:
        self.trained: list[dict[str, Tensor]] = []
        self.validated: list[dict[str, Tensor]] = []

    def _state(self, module: Any) -> dict[str, Tensor]:
        return {key: value.clone() for key, value in module.network.state_dict().items()}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.trained.append(self._state(pl_module))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: Any) -> None:
        self.trained.append(self._state(pl_module))

    def on_validation_batch_end(self, trainer: Any, pl_module: Any, *args: Any) -> None:
        self.validated.append(self._state(pl_module))


def test_a_naive_twin() -> None:
    notes = Notes()

    class Noted(TrainCLI):
        def instantiate_trainer(self, **kwargs: Any) -> Any:
            trainer = super().instantiate_trainer(**kwargs)
            trainer.callbacks.append(notes)  # type: ignore[attr-defined]
            return trainer

    cli = train(*AVERAGED, cli=Noted)
    key, statistic = "head.weight", "backbone.bn1.running_mean"
    for name in (key, statistic):
        mean = notes.trained[0][name].double()
        for step, after in enumerate(notes.trained[1:], start=1):
            decay = min(0.4, step / (step + 9))
            mean = decay * mean + (1 - decay) * after[name].double()
        saved = state_in(cli.run.last)
        assert len(notes.trained) == 5
        torch.testing.assert_close(saved[f"network.{name}"].double(), mean)
        assert not torch.equal(saved[f"network.{name}"], notes.trained[-1][name])
    assert_equal(part(saved, "training_network."), notes.trained[-1])
    assert saved["network.backbone.bn1.num_batches_tracked"] == 4
    # What was validated, what is read from the file, and what the process is left with are one.
    described = load_network(cli.run.last).network.state_dict()
    assert_equal(part(saved, "network."), dict(described))
    assert_equal(notes.validated[-1], dict(described))
    assert_equal(dict(cli.model.network.state_dict()), dict(described))
    assert read_checkpoint(cli.run.last)["sscd"]["recipe"]["average"] == {"decay": 0.4}


def test_what_is_trained_is_as_without() -> None:
    without = state_in(train("--trainer.max_epochs", "1", run="without").run.last)
    assert not part(without, "training_network.")
    with_it = state_in(train(*AVERAGED[:2], "--trainer.max_epochs", "1").run.last)
    assert_equal(part(without, "network."), part(with_it, "training_network."))


class CutShort(Exception):  # noqa: N818
    pass


@pytest.mark.slow
def test_a_resumed_training_is_the_one_that_was_not_cut_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise CutShort

    def fail_late(self: CopyDetector, batch: Any, batch_idx: int) -> None:
        if self.trainer.global_step == 3:
            raise CutShort

    line = (*AVERAGED, "--save_every", "1")
    whole = train(*line, run="whole")
    again = (*line, "--ckpt_path", "last")
    hooks = {"on_validation_epoch_start": fail, "on_train_batch_start": fail_late}
    for arguments, (hook, replacement) in zip((line, again), hooks.items(), strict=True):
        with monkeypatch.context() as patched:
            patched.setattr(CopyDetector, hook, replacement)
            with pytest.raises(CutShort):
                train(*arguments)
    parts = train(*again)
    for name in ("last", "best"):
        assert_equal(state_in(getattr(whole.run, name)), state_in(getattr(parts.run, name)))
    metrics = [run.path / "metrics.csv" for run in (whole.run, parts.run)]
    columns = [_validations(path) for path in metrics]
    assert columns[0] == columns[1]


def _validations(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["val/micro_ap"] for row in csv.DictReader(file) if row.get("val/micro_ap")]


@pytest.mark.slow
def test_it_may_be_turned_on_and_off(capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three = (("--trainer.max_epochs", str(number)) for number in (1, 2, 3))
    resumed = ("--ckpt_path", "last", "--model.optimizer.lr", "1e-12")
    first = state_in(train(*one).run.last)
    second = state_in(train(*two, *resumed, "--model.average.decay", "0.9").run.last)
    # At a rate of nothing the average that begins here stays with the weights.
    torch.testing.assert_close(second["network.head.weight"], first["network.head.weight"])
    assert "training_network.head.weight" in second
    assert "average" not in capsys.readouterr().err
    third = state_in(train(*three, *resumed).run.last)
    assert not part(third, "training_network.")
    torch.testing.assert_close(third["network.head.weight"], second["training_network.head.weight"])
    assert "goes on without it" in capsys.readouterr().err


@pytest.mark.slow
def test_a_training_that_starts_from_the_file_takes_the_average() -> None:
    first = train(*AVERAGED[:2], "--trainer.max_epochs", "1")
    averaged = state_in(first.run.last)["network.head.weight"]
    still = ("--model.optimizer.lr", "1e-12", "--trainer.max_steps", "1")
    second = train("--model.weights", str(first.run.last), *still, run="second")
    torch.testing.assert_close(state_in(second.run.last)["network.head.weight"], averaged)


def test_a_wrong_decay_is_one_line() -> None:
    with pytest.raises(UserError, match=r"average\.decay got 1\.5; expected 0 to below 1"):
        train("--model.average.decay", "1.5")
