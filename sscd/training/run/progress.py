"""What a run says while it goes on, in terminals and log files alike."""

from lightning.pytorch import Callback, LightningModule, Trainer

from sscd.terminal import remark, warn


class EpochLine(Callback):
    """Prints one line at the start and one for each validation, for terminals and log files."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print how much there is of everything."""
        if trainer.is_global_zero:
            collection = trainer.datamodule.collection  # type: ignore[attr-defined]
            sets = (collection.training, collection.references, collection.queries)
            counts = ", ".join(f"{len(images):,} {images.name}" for images in sets)
            remark(counts)
            for line in collection.left_out:
                warn("left out:", line)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print where the training stands."""
        metrics = trainer.callback_metrics
        if not trainer.is_global_zero or "val/micro_ap" not in metrics:
            return
        parts = [f"step {trainer.global_step}/{int(trainer.estimated_stepping_batches)}"]
        names = {"loss": "loss", "info_nce": "nce", "contrastive": "contrastive"}
        names |= {"margin": "margin", "entropy": "entropy", "accuracy": "accuracy"}
        parts += [
            f"{short} {metrics[f'train/{key}']:.3f}"
            for key, short in names.items()
            if f"train/{key}" in metrics
        ]
        if "train/views_per_s" in metrics:
            parts.append(f"{metrics['train/views_per_s']:.0f} views/s")
        parts.append(f"μAP {metrics['val/micro_ap']:.3f}")
        parts.append(f"recall at P90 {metrics['val/recall_at_p90']:.3f}")
        neighbours: int = pl_module.neighbours  # type: ignore[assignment]
        remark(" · ".join(parts), f"({neighbours} neighbours a query)")
