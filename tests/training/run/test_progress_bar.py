"""The bar reads figures from the device at the log interval alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from sscd.terminal import OutputMode, output_mode
from sscd.training.run.progress_bar import EpochBar, progress_callbacks
from tests.terminal.in_terminal import drawn_by, lines_left


class Counting(EpochBar):
    """Notes what is shown after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[int, str] = {}

    def on_train_batch_end(self, trainer: Trainer, *rest: Any) -> None:
        super().on_train_batch_end(trainer, *rest)
        self.shown[trainer.global_step] = self.figures["step_seen"]


class Steps(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.log("step_seen", float(batch_idx + 1), prog_bar=True)
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_figures_are_read_at_the_log_interval(tmp_path: Path) -> None:
    bar = Counting()
    trainer = Trainer(
        accelerator="cpu",
        default_root_dir=tmp_path,
        max_epochs=1,
        log_every_n_steps=4,
        callbacks=[bar],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(Steps(), DataLoader([torch.zeros(1)] * 10, batch_size=1))  # type: ignore[arg-type]
    seen = [bar.shown[step] for step in range(1, 11)]
    changes = [step for step in range(2, 11) if seen[step - 1] != seen[step - 2]]
    assert changes == [4, 8]
    assert bar.figures["step_seen"] == "10.000"  # after the epoch


def test_a_log_gets_lines_of_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sscd.terminal.log_lines.EVERY_S", 0.0)
    (lines,) = progress_callbacks(None)
    trainer = Trainer(
        accelerator="cpu",
        default_root_dir=tmp_path,
        max_epochs=1,
        callbacks=[lines],
        enable_progress_bar=False,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    capsys.readouterr()
    trainer.fit(Steps(), DataLoader([torch.zeros(1)] * 4, batch_size=1))  # type: ignore[arg-type]
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("training: ")]
    assert [line.partition(",")[0] for line in said] == [
        *(f"training: {step}/4 steps ({step * 25}%)" for step in (1, 2, 3, 4)),
        "training: 4/4 steps (100%)",
    ]


@pytest.mark.parametrize("wanted", [None, True])
def test_quiet_and_refused_bars_are_none(wanted: bool | None) -> None:
    assert progress_callbacks(False) == []
    with output_mode(OutputMode(quiet=True)):
        assert progress_callbacks(wanted) == []


TRAINING = """
import sys
from sscd.cli import main
sys.exit(main(["train", "--run_dir", {run!r}, *{tiny!r}]))
"""
TINY = (
    *("--data.procedural.size", "32", "--data.procedural.training", "48"),
    *("--data.procedural.references", "12", "--data.procedural.copies", "6"),
    *("--data.procedural.distractors", "4", "--data.image_size", "32"),
    *("--data.inference.size", "32", "--data.batch_size", "16", "--data.workers", "0"),
    *("--trainer.max_epochs", "4", "--trainer.log_every_n_steps", "1"),
    *("--compare", "false", "--export", "false"),
)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 120])
def test_a_training_leaves_a_bar_and_a_line_for_each_epoch(columns: int, tmp_path: Path) -> None:
    program = TRAINING.format(run=str(tmp_path / "run"), tiny=TINY)
    environ = {"COLUMNS": str(columns), "XDG_CACHE_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    drawn, status = drawn_by(program, environ=environ)
    assert status == 0, drawn
    left = lines_left(drawn)
    kinds = [" ".join(line.split()[:2]) for line in left]
    told = [kind for kind in kinds if kind.startswith(("step", "Epoch"))]
    assert told == [
        kind for epoch in range(1, 5) for kind in (f"step {3 * epoch}/12", f"Epoch {epoch}/4")
    ]
    bars = [line for line in left if "Epoch" in line]
    assert all("3/3" in bar and "loss" in bar for bar in bars)
    assert max(map(len, bars)) <= columns
    assert [line for line in left if "info_nce" in line and "Epoch" not in line] == []
