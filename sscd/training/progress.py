"""What a run says and keeps while it goes on: a bar, a line for each validation, checkpoints."""

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from rich.console import Console

from sscd.training.run_directory import RunDirectory


def checkpoints(run: RunDirectory) -> list[ModelCheckpoint]:
    """Keep the best checkpoint by micro-AP, and the newest of every epoch, validated or not."""
    best = ModelCheckpoint(
        dirpath=run.checkpoints,
        filename=run.best.stem,
        monitor="val/micro_ap",
        mode="max",
        save_on_train_epoch_end=False,
        enable_version_counter=False,
    )
    last = ModelCheckpoint(
        dirpath=run.checkpoints,
        filename=run.last.stem,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    return [best, last]


def progress_bar() -> RichProgressBar:
    """A bar on the error stream with the loss parts, views a second and the last micro-AP."""
    return RichProgressBar(refresh_rate=5, leave=True, console_kwargs={"stderr": True})


class EpochLine(Callback):
    """Prints one line at the start and one for each validation, for terminals and log files."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print how much there is of everything."""
        if trainer.is_global_zero:
            collection = trainer.datamodule.collection  # type: ignore[attr-defined]
            sets = (collection.training, collection.references, collection.queries)
            counts = ", ".join(f"{len(images):,} {images.name}" for images in sets)
            Console().print(counts, highlight=False, soft_wrap=True)
            for line in collection.left_out:
                Console().print("left out:", line, highlight=False, soft_wrap=True)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print where the training stands."""
        metrics = trainer.callback_metrics
        if not trainer.is_global_zero or "val/micro_ap" not in metrics:
            return
        total = int(trainer.estimated_stepping_batches) if trainer.state.fn == "fit" else 0
        parts = [f"step {trainer.global_step}/{total}" if total else "before training"]
        names = {"train/loss": "loss", "train/info_nce": "nce", "train/entropy": "entropy"}
        parts += [f"{short} {metrics[key]:.3f}" for key, short in names.items() if key in metrics]
        if "train/views_per_s" in metrics:
            parts.append(f"{metrics['train/views_per_s']:.0f} views/s")
        parts.append(f"μAP {metrics['val/micro_ap']:.3f}")
        parts.append(f"recall at P90 {metrics['val/recall_at_p90']:.3f}")
        Console().print(" · ".join(parts), highlight=False, soft_wrap=True)
