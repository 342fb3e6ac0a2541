"""The Lightning module: a contrastive step with entropy, validated by micro-AP."""

from typing import Any

import torch
from lightning.pytorch import Callback
from torch import Tensor, distributed

from sscd.augment.inference import InferenceSize
from sscd.data.descriptors import Descriptors
from sscd.data.loading.datasets import PictureBatch
from sscd.data.loading.training_views import ViewBatch
from sscd.data.records import Collection, ImageSet
from sscd.errors import UserError
from sscd.evaluation.protocol import CopyFigures, Evaluation, evaluate_descriptors
from sscd.models.checkpoint import figures_of, pack_metadata
from sscd.models.describe import describe
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.optimization.optimizers import (
    OptimizerConfig,
    build_optimizer,
    retune,
    warmup_cosine,
)
from sscd.training.ranks.gather_to_first import answer_of_first, gather_to_first
from sscd.training.record import recipe_of, record_of
from sscd.training.start import StartedModule
from sscd.training.steps.compiling import FastSteps
from sscd.training.steps.memory_queue import MemoryConfig, MemoryQueue, fit_memory, keys_of
from sscd.training.steps.micro_batches import describe_in_micro_batches
from sscd.training.steps.objective import ObjectiveConfig, compute_objective

_Described = tuple[Tensor, Tensor]  # positions (B,) and descriptors (B, D)


class CopyDetector(StartedModule):
    """Trains a descriptor network on views and validates it as a copy detector.

    Args:
        network: Backbone, pooling and dimensions.
        objective: Temperature and entropy weight.
        optimizer: Optimiser and learning rate.
        inference: How validation pictures are resized; set by the data module's value.
        image_size: Side of the training views in pixels; set by the data module's value.
        neighbours: Candidates of each query in validation (SSCD's protocol takes 10).
        micro_batch: Pictures of a rank that go through the network at once, by gradient caching;
            all of them if null.
        memory: Descriptors of earlier steps that serve as more negatives.
        weights: Where the training starts: `imagenet`, or the path of a checkpoint, an exported
            network or published SSCD weights; random weights if null.
        freeze_batch_norm: Keep the running statistics of those weights, and use them in training.
        compile: Run training steps through `torch.compile`; on a GPU alone if null.
    """

    def __init__(
        self,
        network: NetworkConfig = NetworkConfig(),
        objective: ObjectiveConfig = ObjectiveConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(),
        inference: InferenceSize = InferenceSize(),
        image_size: int = 224,
        neighbours: int = 10,
        micro_batch: int | None = None,
        memory: MemoryConfig = MemoryConfig(),
        weights: str | None = None,
        freeze_batch_norm: bool = False,
        compile: bool | None = None,  # noqa: A002
    ) -> None:
        super().__init__()
        if neighbours < 10:
            raise ValueError(f"neighbours got {neighbours}; expected at least 10, for recall at 10")
        if micro_batch is not None and micro_batch < 1:
            raise ValueError(f"micro_batch got {micro_batch}; expected at least 1, or null")
        self.network = DescriptorNet(network).to(memory_format=torch.channels_last)
        self.objective = objective
        self.optimizer = optimizer
        self.inference = inference
        self.image_size = image_size
        self.neighbours = neighbours
        self.micro_batch = micro_batch
        self.weights = weights
        self.freeze_batch_norm = freeze_batch_norm
        self._compile_wanted = compile
        self.memory = MemoryQueue(memory, dims=network.dims) if memory.size else None
        # The memory is equal on all ranks already; DDP would send it anew in every step.
        self._ddp_params_and_buffers_to_ignore = keys_of(self.memory, prefix="memory.")
        self.evaluation: Evaluation | None = None
        self.keeps_descriptors = False  # as `described`, on rank 0, until somebody takes them
        self.described: tuple[Descriptors, Descriptors] | None = None  # queries, references
        self.last_statistics: dict[str, Tensor] = {}  # of the last step, over all ranks
        self._entropy_weight = 0.0  # in force in the last step
        self._figures: dict[str, Any] = {}
        self._described: tuple[list[_Described], list[_Described]] = ([], [])
        self.train()

    def configure_callbacks(self) -> list[Callback]:
        """What makes the steps fast."""
        return [FastSteps(self.network, wanted=self._compile_wanted)]

    def forward(self, pictures: Tensor) -> Tensor:
        """Descriptors (B, D) of pictures (B, 3, H, W)."""
        described: Tensor = self.network(pictures)
        return described

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:
        """The loss of one batch of views."""
        progress = self._progress(self.trainer.global_step)
        weight = self.objective.entropy_weight_at(progress)
        memory = self.memory
        step = compute_objective(
            self._describe_views(batch.views),
            batch.contents.flatten(0, 1),
            temperature=self.objective.temperature,
            entropy_weight=weight,
            memory=memory.remembered() if memory and memory.config.used_at(progress) else None,
        )
        if memory:
            memory.enqueue(step.rows)
        self.last_statistics = step.statistics()
        self._entropy_weight = weight
        return step.loss

    def on_train_batch_end(self, outputs: Any, batch: ViewBatch, batch_idx: int) -> None:
        """Log the step if somebody will read it; each number costs a third of a millisecond."""
        trainer = self.trainer
        last = trainer.fit_loop.epoch_loop._is_training_done
        if last or trainer._logger_connector.should_update_logs:
            self._log_step(len(batch.views))

    def _describe_views(self, views: Tensor) -> Tensor:
        """Descriptors (B·V, D) of views (B, V, 3, S, S), picture by picture."""
        return describe_in_micro_batches(self.network, views, micro_batch=self.micro_batch)

    def entropy_weight(self, step: int) -> float:
        """λ in force at a step of this training."""
        return self.objective.entropy_weight_at(self._progress(step))

    def _progress(self, step: int) -> float:
        total = self.trainer.estimated_stepping_batches  # finite: `configure_optimizers` sees to it
        return min(1.0, step / max(total, 1))

    def _log_step(self, count: int) -> None:
        values = self.last_statistics
        logged: dict[str, Any] = {f"train/{key}": value for key, value in values.items()}
        # Lightning would copy a plain number to the device, and wait for that.
        logged["train/entropy_weight"] = torch.full((), self._entropy_weight, device=self.device)
        self.log_dict(logged, batch_size=count)
        bar: dict[str, Any] = {key: values[key] for key in ("loss", "info_nce", "entropy")}
        self.log_dict(bar, prog_bar=True, logger=False, batch_size=count)

    def configure_optimizers(self) -> Any:
        """The configured optimiser, warmed up and cooled down step by step."""
        optimizer = build_optimizer(self.network, self.optimizer, pictures=self.pictures_a_step())
        total = self.trainer.estimated_stepping_batches
        if total == float("inf"):
            raise UserError("trainer.max_epochs or trainer.max_steps must bound the training")
        self.trainer.fit_loop.setup_data()  # not done yet where max_steps alone bounds the training
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

        Without synchronised batch norm each rank's running statistics are of its own pictures, and
        only those of rank 0 are saved.
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

        def evaluate() -> CopyFigures | None:
            if references is None or queries is None:
                return None
            if self.keeps_descriptors:
                self.described = queries, references
            with torch.inference_mode(False):  # the search's threads do not inherit it
                self.evaluation = evaluate_descriptors(
                    queries, references, collection.truth, k=self.neighbours
                )
            return self.evaluation.figures

        figures: CopyFigures | None = answer_of_first(evaluate)
        if figures is not None:
            self._figures = record_of(figures, self)
            values = figures.as_log()
            self.log_dict({f"val/{key}": value for key, value in values.items()})
            self.log("μAP", values["micro_ap"], prog_bar=True, logger=False)

    def _gather(self, loader: int, images: ImageSet) -> Descriptors | None:
        """One validation set's descriptors from all ranks, each picture once; on rank 0 alone."""
        described = self._described[loader]
        dims = self.network.config.dims
        # Collectives want the device of the process group's backend.
        placed = gather_to_first(described, count=len(images), dims=dims, device=self.device)
        described.clear()
        if placed is None:
            return None
        ids = [images.id(int(place)) for place in placed.positions]
        return Descriptors(ids, placed.rows.numpy())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what rebuilds the network, as plain values."""
        checkpoint.update(
            pack_metadata(
                self.network.config,
                self.inference,
                trained_at=self.image_size,
                optimizer=self.optimizer.name,
                recipe=recipe_of(self),
                figures=self._figures,
            )
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the configured learning rate and decay hold, not those of the interrupted run."""
        self._figures = figures_of(checkpoint)
        fit_memory(checkpoint["state_dict"], self.memory, prefix="memory.")
        retune(checkpoint, self.optimizer, pictures=self.pictures_a_step())

    def pictures_a_step(self) -> int:
        """Pictures that one step of the optimiser sees, over all ranks."""
        batch: int = self.trainer.datamodule.batch_size  # type: ignore[attr-defined]
        return batch * self.trainer.accumulate_grad_batches
