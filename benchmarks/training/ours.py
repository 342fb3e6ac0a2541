"""Our own training steps: the Lightning trainer, the module and the callbacks of a real run."""

# ruff: noqa: ARG002 - Lightning fixes the signatures of its hooks

import tempfile
import time
import warnings
from typing import Any

import torch
from lightning import LightningDataModule
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger

from benchmarks.training.hardware import synchronize
from benchmarks.training.options import Options
from benchmarks.training.result import Measured
from sscd.augment.mixup import MixupConfig
from sscd.data.loading.finishing import finish_views
from sscd.data.loading.step_loader import StepLoader
from sscd.data.loading.training_loader import training_loader
from sscd.data.loading.training_views import TrainingViews
from sscd.data.loading.view_batch import ViewBatch
from sscd.models.descriptor import NetworkConfig
from sscd.training.checkpoints.fit_loop import use_exact_loops
from sscd.training.guards.collapse import CollapseGuard, GuardConfig
from sscd.training.guards.guard import DivergenceGuard
from sscd.training.module import CopyDetector
from sscd.training.optimization.optimizer_config import OptimizerConfig
from sscd.training.quiet import quieten
from sscd.training.run.throughput import Throughput
from sscd.training.steps.step_seed import StepSeed
from sscd.training.trainer_parts import device_settings

MIXED = MixupConfig(probability=0.05)


def measure_ours(
    options: Options, source: TrainingViews | Any, device: torch.device, *, compiled: bool
) -> Measured:
    """Train for some steps, from the views of pictures or from batches as they are.

    Args:
        options: Sizes.
        source: `TrainingViews`, which go through the loader, or an iterable of batches.
        device: Where the training is.
        compiled: Whether steps are compiled.
    """
    quieten()
    warnings.filterwarnings("ignore", message=".*have no `val_dataloader`")  # none is wanted
    clock = _Clock(options, device)
    data = _Data(options, source)
    detector = CopyDetector(
        NetworkConfig(backbone=options.backbone, dims=options.dims),
        optimizer=OptimizerConfig(warmup_epochs=0.0, lr=1e-3),
        micro_batch=options.micro_batch,
        compile=compiled,
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=options.devices,
            strategy="ddp" if options.devices > 1 else "auto",
            max_epochs=1,
            limit_train_batches=options.warm_up + options.steps,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            log_every_n_steps=10,
            logger=CSVLogger(folder),
            callbacks=[
                StepSeed(0),
                DivergenceGuard(),
                CollapseGuard(GuardConfig(on_collapse="ignore")),
                Throughput(),
                clock,
            ],
            use_distributed_sampler=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **device_settings(device.type, precision=None),
        )
        use_exact_loops(trainer)
        trainer.fit(detector, datamodule=data)
    return clock.measured()


class _Data(LightningDataModule):
    """Batches from somewhere, finished as the real data module does."""

    def __init__(self, options: Options, source: Any) -> None:
        super().__init__()
        self.batch_size = options.batch_size
        self.seed = 0  # the module draws by it
        self._options = options
        self._source = source

    def train_dataloader(self) -> Any:
        """The loader, or the batches themselves."""
        if not isinstance(self._source, TrainingViews):
            return self._source
        options, trainer = self._options, self.trainer
        if trainer is None:
            raise ValueError("the trainer is not there yet")
        return training_loader(
            self._source,
            seed=self.seed,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
            batch_size=options.batch_size // trainer.world_size,
            chunk=options.chunk,
            workers=options.workers,
            device=trainer.strategy.root_device,
        )

    def transfer_batch_to_device(
        self, batch: ViewBatch, device: torch.device, dataloader_idx: int
    ) -> ViewBatch:
        """As the real one."""
        return batch._replace(views=batch.views.to(device, non_blocking=True))

    def on_after_batch_transfer(self, batch: ViewBatch, dataloader_idx: int) -> ViewBatch:
        """As the real one, for batches that come from pictures."""
        if isinstance(self._source, TrainingViews):
            return finish_views(batch, mixup=MIXED, seed=0)
        return batch


class _Clock(Callback):
    """Times the steps after the warm-up, and waits for the device at both ends alone."""

    def __init__(self, options: Options, device: torch.device) -> None:
        self._options = options
        self._device = device
        self._began = self._start = self._end = 0.0
        self._waited = [0.0, 0.0]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The warm-up begins."""
        self._began = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ViewBatch,
        batch_idx: int,
    ) -> None:
        """Look at the clock after the warm-up and after the last step."""
        done = batch_idx + 1
        if done == self._options.warm_up:
            self._start, self._waited[0] = self._look(trainer)
        elif done == self._options.warm_up + self._options.steps:
            self._end, self._waited[1] = self._look(trainer)

    def measured(self) -> Measured:
        """What the timed steps came to."""
        return Measured(
            seconds=self._end - self._start,
            views=self._options.steps * self._options.views,
            waited=self._waited[1] - self._waited[0],
            warm_up_seconds=self._start - self._began,
        )

    def _look(self, trainer: Trainer) -> tuple[float, float]:
        synchronize(self._device)
        loader = trainer.train_dataloader
        waited = loader.waited if isinstance(loader, StepLoader) else 0.0
        return time.perf_counter(), waited
