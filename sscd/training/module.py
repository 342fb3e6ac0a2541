"""The Lightning module: a contrastive step with entropy, validated by micro-AP."""

import dataclasses
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor, distributed

from sscd.augment.inference import InferenceSize
from sscd.data.datasets import PictureBatch
from sscd.data.descriptors import Descriptors
from sscd.data.records import Collection, ImageSet
from sscd.data.training_views import ViewBatch
from sscd.errors import UserError
from sscd.evaluation.protocol import CopyFigures, Evaluation, evaluate_descriptors
from sscd.models.checkpoint import pack_metadata
from sscd.models.describe import describe
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.gather import gather_varying, mean_over_ranks, rank
from sscd.training.objective import Objective, ObjectiveConfig, compute_objective
from sscd.training.optimizers import OptimizerConfig, build_optimizer, retune, warmup_cosine

_Described = tuple[Tensor, Tensor]  # positions (B,) and descriptors (B, D)


class CopyDetector(LightningModule):
    """Trains a descriptor network on views and validates it as a copy detector.

    Args:
        network: Backbone, pooling and dimensions.
        objective: Temperature and entropy weight.
        optimizer: Optimiser and learning rate.
        inference: How validation pictures are resized; set by the data module's value.
        image_size: Side of the training views in pixels; set by the data module's value.
        neighbours: Candidates of each query in validation (SSCD's protocol takes 10).
    """

    def __init__(
        self,
        network: NetworkConfig = NetworkConfig(),
        objective: ObjectiveConfig = ObjectiveConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(),
        inference: InferenceSize = InferenceSize(),
        image_size: int = 224,
        neighbours: int = 10,
    ) -> None:
        super().__init__()
        if neighbours < 10:
            raise ValueError(f"neighbours got {neighbours}; expected at least 10, for recall at 10")
        self.network = DescriptorNet(network).to(memory_format=torch.channels_last)
        self.objective = objective
        self.optimizer = optimizer
        self.inference = inference
        self.image_size = image_size
        self.neighbours = neighbours
        self.evaluation: Evaluation | None = None
        self._described: tuple[list[_Described], list[_Described]] = ([], [])

    def forward(self, pictures: Tensor) -> Tensor:
        """Descriptors (B, D) of pictures (B, 3, H, W)."""
        described: Tensor = self.network(pictures)
        return described

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:
        """The loss of one batch of views."""
        count = len(batch.views)
        described = self(batch.views.flatten(0, 1))
        weight = self.entropy_weight(self.trainer.global_step)
        step = compute_objective(
            described,
            batch.contents.flatten(0, 1),
            temperature=self.objective.temperature,
            entropy_weight=weight,
        )
        self._log_step(step, weight, count)
        return step.loss

    def entropy_weight(self, step: int) -> float:
        """λ in force at a step of this training."""
        total = self.trainer.estimated_stepping_batches  # finite: `configure_optimizers` sees to it
        return self.objective.entropy_weight_at(min(1.0, step / max(total, 1)))

    def _log_step(self, step: Objective, weight: float, count: int) -> None:
        values = mean_over_ranks(
            {
                "loss": step.loss.detach(),
                "info_nce": step.info_nce,
                "entropy": step.entropy,
                "positive_similarity": step.positive_similarity,
                "nearest_negative_similarity": step.nearest_negative_similarity,
            }
        )
        logged: dict[str, Any] = {f"train/{key}": value for key, value in values.items()}
        self.log_dict(logged | {"train/entropy_weight": weight}, batch_size=count)
        bar: dict[str, Any] = {key: values[key] for key in ("loss", "info_nce", "entropy")}
        self.log_dict(bar, prog_bar=True, logger=False, batch_size=count)

    def configure_optimizers(self) -> Any:
        """The configured optimiser, warmed up and cooled down step by step."""
        optimizer = build_optimizer(self.network, self.optimizer, pictures=self._pictures_a_step())
        total = self.trainer.estimated_stepping_batches
        if total == float("inf"):
            raise UserError("trainer.max_epochs or trainer.max_steps must bound the training")
        epoch = self.trainer.num_training_batches / self.trainer.accumulate_grad_batches
        schedule = warmup_cosine(
            optimizer,
            warmup=min(round(self.optimizer.warmup_epochs * epoch), int(total) - 1),
            total=int(total),
            final_share=self.optimizer.final_share,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_validation_epoch_start(self) -> None:
        """Forget the last descriptors, and let all ranks describe with rank 0's network.

        Without synchronised batch norm each rank's running statistics are a step of its own ahead,
        and only those of rank 0 are saved.
        """
        self._described = ([], [])
        if distributed.is_initialized():
            for buffer in self.network.buffers():
                distributed.broadcast(buffer, src=0)

    def validation_step(
        self,
        batch: PictureBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Describe one batch of references (loader 0) or queries (loader 1)."""
        if len(batch.pictures):
            described = describe(self.network, batch.pictures, device=self.device)
            self._described[dataloader_idx].append((batch.positions, described.float().cpu()))

    def on_validation_epoch_end(self) -> None:
        """Search, score and log micro-AP and its relatives over the pictures of all ranks."""
        collection: Collection = self.trainer.datamodule.collection  # type: ignore[attr-defined]
        references = self._gather(0, collection.references)
        queries = self._gather(1, collection.queries)
        figures: list[CopyFigures | None] = [None]
        if rank() == 0:
            self.evaluation = evaluate_descriptors(
                queries, references, collection.truth, k=self.neighbours
            )
            figures = [self.evaluation.figures]
        if distributed.is_initialized():
            distributed.broadcast_object_list(figures)
        if figures[0] is not None:
            values = figures[0].as_log()
            self.log_dict({f"val/{key}": value for key, value in values.items()})
            self.log("μAP", values["micro_ap"], prog_bar=True, logger=False)

    def _gather(self, loader: int, images: ImageSet) -> Descriptors:
        """The descriptors of one validation set from all ranks, each picture once."""
        described = self._described[loader]
        dims = self.network.config.dims
        positions = torch.cat([p for p, _ in described] or [torch.empty(0, dtype=torch.int64)])
        vectors = torch.cat([v for _, v in described] or [torch.empty(0, dims)])
        described.clear()
        # Collectives want the device of the process group's backend.
        everywhere = gather_varying(positions.to(self.device)).cpu().numpy()
        rows = gather_varying(vectors.to(self.device)).cpu().numpy()
        places, first = np.unique(everywhere, return_index=True)
        return Descriptors([images.id(int(place)) for place in places], rows[first])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what rebuilds the network, as plain values."""
        checkpoint.update(
            pack_metadata(
                self.network.config,
                self.inference,
                trained_at=self.image_size,
                optimizer=self.optimizer.name,
                recipe=self._recipe(),
            )
        )

    def _recipe(self) -> dict[str, Any]:
        """How the network is trained, in plain values."""
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        return {
            "views": dataclasses.asdict(data.recipe) | {"a_picture": data.views},
            "mixup": dataclasses.asdict(data.mixup),
            "image_size": self.image_size,
            "batch_size": self._pictures_a_step(),
            "training_pictures": len(data.collection.training),
            "objective": dataclasses.asdict(self.objective),
            "optimizer": dataclasses.asdict(self.optimizer),
            "epochs": self.trainer.current_epoch,
            "steps": self.trainer.global_step,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the configured learning rate and decay hold, not those of the interrupted run."""
        retune(checkpoint, self.optimizer, pictures=self._pictures_a_step())

    def _pictures_a_step(self) -> int:
        batch: int = self.trainer.datamodule.batch_size  # type: ignore[attr-defined]
        return batch * self.trainer.accumulate_grad_batches
