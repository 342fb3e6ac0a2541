"""The Lightning module: a contrastive step with entropy, validated by micro-AP."""

from typing import Any

import torch
from lightning.pytorch import Callback
from torch import Tensor
from torch.nn import functional

from sscd.augment.inference import InferenceSize
from sscd.data.loading.view_batch import ViewBatch
from sscd.errors import UserError
from sscd.models.checkpoint import figures_of, pack_metadata, recipe_in
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.averaging import AverageConfig, WeightAverage, fit_average
from sscd.training.beside import BesideNetwork
from sscd.training.logged import LoggedModule
from sscd.training.optimization.optimizer_config import OptimizerConfig
from sscd.training.optimization.optimizers import build_optimizer, warmup_cosine
from sscd.training.optimization.retune import retune
from sscd.training.record import recipe_of
from sscd.training.steps.adversarial import AdversarialConfig, attack_views
from sscd.training.steps.classification import ClassificationConfig, classify
from sscd.training.steps.compiling import FastSteps
from sscd.training.steps.describe_batch import describe_batch
from sscd.training.steps.memory_queue import MemoryConfig, MemoryQueue, fit_memory, keys_of
from sscd.training.steps.objective import compute_objective
from sscd.training.steps.objective_config import ObjectiveConfig
from sscd.training.steps.step_seed import batch_seed
from sscd.training.steps.teacher import Teacher, TeacherConfig
from sscd.training.whitened_head import WhiteningConfig


class CopyDetector(LoggedModule):
    """Trains a descriptor network on views and validates it as a copy detector.

    Args:
        network: Backbone, pooling and dimensions.
        objective: The loss, its margins or temperature, and the entropy with its weight.
        optimizer: Optimiser and learning rate.
        inference: How validation pictures are resized; set by the data module's value.
        image_size: Side of the training views in pixels; set by the data module's value.
        neighbours: Candidates of each query in validation (SSCD's protocol takes 10).
        micro_batch: Pictures of a rank that go through the network at once, by gradient caching;
            all of them if null.
        memory: Descriptors of earlier steps that serve as more negatives.
        classification: A classifier beside the network.
        whitening: How the head of a network with `pooling: attention` is fitted and kept.
        adversarial: Views that are attacked before the network learns from them.
        average: Whether a running average of the weights is validated and saved in their place.
        teacher: A trained network whose similarities this one learns to have.
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
        classification: ClassificationConfig = ClassificationConfig(),
        whitening: WhiteningConfig = WhiteningConfig(),
        adversarial: AdversarialConfig = AdversarialConfig(),
        average: AverageConfig = AverageConfig(),
        teacher: TeacherConfig = TeacherConfig(),
        weights: str | None = None,
        freeze_batch_norm: bool = False,
        compile: bool | None = None,  # noqa: A002
    ) -> None:
        super().__init__(neighbours=neighbours)
        if micro_batch is not None and micro_batch < 1:
            raise ValueError(f"micro_batch got {micro_batch}; expected at least 1, or null")
        self.network = DescriptorNet(network).to(memory_format=torch.channels_last)
        self.objective = objective
        self.optimizer = optimizer
        self.inference = inference
        self.image_size = image_size
        self.micro_batch = micro_batch
        self.weights = weights
        self.freeze_batch_norm = freeze_batch_norm
        self.classification = classification
        self.whitening = whitening
        self.adversarial = adversarial
        self.teacher = Teacher(teacher) if teacher.path else None
        self.average = WeightAverage(self.network, average) if average.decay else None
        if whitening.whitens(self.network):
            self.network.head.requires_grad_(False)
        self.beside = BesideNetwork(beta=objective.first_beta)
        self._compile_wanted = compile
        self.memory = MemoryQueue(memory, dims=network.dims) if memory.size else None
        # These are equal on all ranks already; DDP would send them anew in every step.
        ignored = ["beside.classes", *keys_of(self.memory, prefix="memory.")]
        self._ddp_params_and_buffers_to_ignore = ignored
        self.train()

    def configure_callbacks(self) -> list[Callback]:
        """What makes the steps fast, and what averages them."""
        fast = FastSteps(self.network, wanted=self._compile_wanted)
        return [fast] if self.average is None else [fast, self.average]

    def forward(self, pictures: Tensor) -> Tensor:
        """Descriptors (B, D) of pictures (B, 3, H, W)."""
        described: Tensor = self.network(pictures)
        return described

    def setup(self, stage: str) -> None:
        """Read a teacher, and learn which classes there are, for a classifier."""
        if stage == "fit" and self.teacher:
            self.teacher.load()
        if stage == "fit" and self.classification.weight and self.beside.classifier is None:
            labels = self.trainer.datamodule.class_labels()  # type: ignore[attr-defined]
            self.beside.learn_classes(labels, dims=self.network.config.dims)

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:
        """The loss of one batch of views."""
        progress = self._progress(self.trainer.global_step)
        weight = self.objective.entropy_weight_at(progress)
        memory, classifier = self.memory, self.beside.classifier
        contents = batch.contents.flatten(0, 1)
        attacked = batch._replace(views=self._attacked(batch.views, batch_idx))
        settings = {} if classifier is None else {"unit": False}
        embedded = describe_batch(self.network, attacked, micro_batch=self.micro_batch, **settings)
        described = embedded if classifier is None else functional.normalize(embedded, dim=1)
        step = compute_objective(
            described,
            contents,
            loss=self.objective.instance_loss(
                views=batch.copies, seed=self._batch_seed(batch_idx), progress=progress
            ),
            entropy_weight=weight,
            spread=self.objective.spread(),
            learnt=self.beside.beta,
            memory=memory.remembered() if memory and memory.config.used_at(progress) else None,
            negative_only=batch.negative_only,
        )
        if memory:
            memory.enqueue(step.rows)
        self.last_statistics, self._entropy_weight = step.statistics(), weight
        loss, total = step.loss, step.total
        if classifier is not None:
            classified = classify(classifier(embedded), self.beside.classes_of(contents))
            share = self.classification.weight
            self.last_statistics |= classified.statistics()
            loss = share * classified.loss + (1 - share) * loss
            total = share * classified.total + (1 - share) * total
        if self.teacher:
            taught = self.teacher.teach(described, attacked, micro_batch=self.micro_batch)
            loss, total = loss + taught.loss, total + taught.total
            self.last_statistics["distillation"] = taught.total
        self.last_statistics["loss"] = total.detach()
        return loss

    def _attacked(self, views: Tensor, batch_idx: int) -> Tensor:
        """The views (B, V, 3, S, S), of which some are attacked."""
        return attack_views(
            self.network,
            views,
            self.adversarial,
            seed=self._batch_seed(batch_idx, rank=self.global_rank),
            at_once=self.micro_batch and self.micro_batch * views.shape[1],
        )

    def _batch_seed(self, batch_idx: int, *, rank: int = 0) -> int:
        """Of what is drawn in a batch, for all ranks or for each; the same when resumed."""
        seed: int = self.trainer.datamodule.seed  # type: ignore[attr-defined]
        epoch = self.trainer.fit_loop.epoch_progress.current.processed  # type: ignore[attr-defined]
        return batch_seed(seed, epoch, batch_idx, rank)

    def entropy_weight(self, step: int) -> float:
        """λ in force at a step of this training."""
        return self.objective.entropy_weight_at(self._progress(step))

    def _progress(self, step: int) -> float:
        total = self.trainer.estimated_stepping_batches  # finite: `configure_optimizers` sees to it
        return min(1.0, step / max(total, 1))

    def configure_optimizers(self) -> Any:
        """The configured optimiser, warmed up and cooled down step by step."""
        pictures = self.pictures_a_step()
        beside = self.beside.groups(
            self.optimizer, pictures=pictures, beta_rate=self.objective.margin.beta_rate
        )
        optimizer = build_optimizer(self.network, self.optimizer, pictures=pictures, beside=beside)
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
            drops=self.optimizer.drops,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what rebuilds the network, as plain values."""
        checkpoint.update(
            pack_metadata(
                self.network.config,
                self.inference,
                trained_at=self.image_size,
                optimizer=self.optimizer.name,
                recipe=recipe_of(self),
                figures=self.figures,
            )
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the configured learning rate and decay hold, not those of the interrupted run."""
        self.figures = figures_of(checkpoint)
        recipe = recipe_in(checkpoint)
        self.beside.check_resumable(checkpoint["state_dict"], recipe)
        self.whitening.check_resumable(self.network, recipe)
        fit_average(checkpoint["state_dict"], self.average)
        fit_memory(checkpoint["state_dict"], self.memory, prefix="memory.")
        retune(checkpoint, self.optimizer, pictures=self.pictures_a_step())

    def pictures_a_step(self) -> int:
        """Pictures that one step of the optimiser sees, over all ranks."""
        batch: int = self.trainer.datamodule.batch_size  # type: ignore[attr-defined]
        return batch * self.trainer.accumulate_grad_batches
