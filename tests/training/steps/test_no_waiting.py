"""No step waits for a GPU: from pinned pictures to the optimiser, with all callbacks of a run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Trainer
from lightning.pytorch import Callback
from lightning.pytorch.loggers import CSVLogger

from sscd.augment.mixup import MixupConfig
from sscd.augment.recipes import RecipeConfig
from sscd.data.module import CopyDetectionData
from sscd.data.sources import ProceduralConfig
from sscd.models.descriptor import NetworkConfig
from sscd.training.checkpoints.fit_loop import use_exact_loops
from sscd.training.guards.collapse import CollapseGuard, GuardConfig
from sscd.training.guards.guard import DivergenceGuard
from sscd.training.module import CopyDetector
from sscd.training.run.throughput import Throughput
from sscd.training.steps.step_seed import StepSeed
from sscd.training.trainer_parts import device_settings

LOG_EVERY = 10


class NoWaiting(Callback):
    """Makes waiting for the device an error, from after one log to before the next.

    Logging reads figures, and the first steps allocate memory, which may wait too.
    """

    def __init__(self) -> None:
        self.steps = 0

    def on_train_batch_start(self, trainer: Trainer, *rest: Any) -> None:
        done = trainer.global_step
        if done >= LOG_EVERY and done % LOG_EVERY == 1:
            torch.cuda.set_sync_debug_mode("error")

    def on_train_batch_end(self, trainer: Trainer, *rest: Any) -> None:
        self.steps += torch.cuda.get_sync_debug_mode() == 2
        if trainer.global_step % LOG_EVERY == LOG_EVERY - 1:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("micro_batch", [None, 4])
def test_steps_run_ahead_of_the_gpu(tmp_path: Path, micro_batch: int | None) -> None:
    data = CopyDetectionData(
        image_size=64,
        recipe=RecipeConfig("advanced"),
        augment_on="device",
        mixup=MixupConfig(probability=0.3),
        batch_size=16,
        workers=2,
        cache=tmp_path / "cache",
        procedural=ProceduralConfig(
            size=80, training=16 * 40, references=4, copies=2, distractors=2
        ),
    )
    detector = CopyDetector(NetworkConfig(backbone="resnet18"), micro_batch=micro_batch)
    watch = NoWaiting()
    trainer = Trainer(
        accelerator="gpu",
        devices=1,
        max_epochs=1,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        log_every_n_steps=LOG_EVERY,
        logger=CSVLogger(tmp_path),
        callbacks=[
            StepSeed(0),
            DivergenceGuard(),
            CollapseGuard(GuardConfig(on_collapse="ignore")),
            Throughput(),
            watch,
        ],
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **device_settings("gpu", precision=None),
    )
    use_exact_loops(trainer)
    try:
        trainer.fit(detector, datamodule=data)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert watch.steps >= 3 * (LOG_EVERY - 2)
