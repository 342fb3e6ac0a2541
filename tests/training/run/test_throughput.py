"""Views a second and waiting for data, of a real trainer on a loader whose speed is known."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from sscd.data.loading.samplers import EpochSampler
from sscd.data.loading.step_loader import StepLoader
from sscd.data.loading.view_batch import ViewBatch, join_views
from sscd.training.run.throughput import Throughput

PAUSE = 0.02  # of loading a batch of two pictures
STEP = 0.03


class Pictures(Dataset[int]):
    def __len__(self) -> int:
        return 20

    def __getitem__(self, key: tuple[int, int]) -> int:
        time.sleep(PAUSE / 2)
        return key[1]


def collate(numbers: list[int]) -> ViewBatch:
    contents = torch.tensor(numbers)[:, None, None].repeat(1, 3, 1)
    return ViewBatch(torch.zeros(len(numbers), 3, 3, 2, 2), contents, unreadable=())


class Steps(LightningModule):
    """Takes its time for steps, for what follows them, and for validation."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch: ViewBatch) -> Tensor:
        time.sleep(STEP)
        return self.weight.sum()

    def validation_step(self, batch: Tensor) -> None:
        time.sleep(0.2)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Logged(Throughput):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Trainer, *rest: Any) -> None:
        super().on_train_batch_end(trainer, *rest)
        if trainer.global_step % 5 == 0:
            metrics = trainer.callback_metrics
            self.rows.append({key: float(value) for key, value in metrics.items()})


def logged(folder: Path, loader: Iterable[ViewBatch]) -> list[dict[str, float]]:
    callback = Logged()
    trainer = Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        max_epochs=1,
        val_check_interval=4,  # amid what is counted
        num_sanity_val_steps=0,
        log_every_n_steps=5,
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(Steps(), loader, DataLoader([torch.zeros(1)]))  # type: ignore[arg-type]
    return callback.rows


def test_views_and_waiting_are_counted_and_validation_is_not(tmp_path: Path) -> None:
    sampler = EpochSampler(20, seed=0, rank=0, ranks=1)
    loader = StepLoader(Pictures(), collate, join_views, sampler=sampler, batch_size=2, chunk=1)
    rows = logged(tmp_path, loader)
    assert len(rows) == 2
    for row in rows:
        # Six views a step; sleeping takes at least as long as is asked for.
        assert row["train/views_per_s"] < 6 / (PAUSE + STEP)
        waited = row["train/data_wait"] * 30 / row["train/views_per_s"]  # seconds of five steps
        assert waited > 5 * PAUSE * 0.99
        assert row["train/data_wait"] < 1 - 5 * STEP * row["train/views_per_s"] / 30 + 0.01
    # Each validation takes 0.2 s, four times as much as a step.
    assert loader.waited >= 10 * PAUSE * 0.99


def test_validation_stops_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    throughput, trainer, module = Throughput(), Trainer(logger=False), Steps()
    throughput.on_train_epoch_start(trainer, module)
    began = throughput._since
    throughput.on_validation_start(trainer, module)
    now = 130.0
    throughput.on_validation_end(trainer, module)
    now = 137.0  # a checkpoint is saved, and a report is made
    throughput.on_train_batch_start(trainer, module, collate([0]), 4)
    assert throughput._since == began + 37.0
    now = 138.0
    throughput.on_train_batch_start(trainer, module, collate([0]), 5)
    assert throughput._since == began + 37.0


def test_loaders_of_others_have_no_waiting(tmp_path: Path) -> None:
    batches = [collate([0, 1])] * 5
    (row,) = logged(tmp_path, DataLoader(batches, batch_size=None))  # type: ignore[arg-type]
    assert row["train/views_per_s"] > 0
    assert "train/data_wait" not in row
