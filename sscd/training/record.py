"""What a checkpoint says of its training: the recipe, and the figures of the last validation."""

import dataclasses
import math
from typing import Any, Protocol

import numpy as np
from lightning import Trainer

from sscd.augment.inference import InferenceSize
from sscd.evaluation.figures import CopyFigures
from sscd.models.descriptor import DescriptorNet
from sscd.training.averaging import WeightAverage
from sscd.training.beside import BesideNetwork
from sscd.training.optimization.optimizer_config import OptimizerConfig
from sscd.training.steps.adversarial import AdversarialConfig
from sscd.training.steps.classification import ClassificationConfig
from sscd.training.steps.memory_queue import MemoryQueue
from sscd.training.steps.objective_config import ObjectiveConfig
from sscd.training.steps.teacher import Teacher
from sscd.training.whitened_head import WhiteningConfig


class Validated(Protocol):
    """What figures are recorded with."""

    inference: InferenceSize

    @property
    def trainer(self) -> Trainer:
        """With its data module."""
        ...


class Detector(Validated, Protocol):
    """What is recorded of a `CopyDetector`."""

    weights: str | None
    freeze_batch_norm: bool
    image_size: int
    objective: ObjectiveConfig
    classification: ClassificationConfig
    whitening: WhiteningConfig
    adversarial: AdversarialConfig
    network: DescriptorNet
    beside: BesideNetwork
    optimizer: OptimizerConfig
    micro_batch: int | None
    memory: MemoryQueue | None
    average: WeightAverage | None
    teacher: Teacher | None

    def pictures_a_step(self) -> int:
        """Over all ranks."""
        ...


def recipe_of(detector: Detector) -> dict[str, Any]:
    """How a network is trained, in plain values.

    Args:
        detector: In a trainer.
    """
    trainer = detector.trainer
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    # Lightning's own count of epochs is one short while the last one is validated and saved.
    epoch = trainer.num_training_batches / trainer.accumulate_grad_batches
    memory = detector.memory
    whitened = detector.whitening.whitens(detector.network)
    attacks = detector.adversarial
    return {
        "weights": detector.weights,
        "freeze_batch_norm": detector.freeze_batch_norm,
        "views": data.recipe.as_record() | {"a_picture": data.views} | data.schedule().as_record(),
        "mixup": dataclasses.asdict(data.mixup),
        "image_size": detector.image_size,
        "batch_size": detector.pictures_a_step(),
        "training_pictures": len(data.collection.training),
        "training_data": data.training_data(),
        "objective": detector.objective.as_record(),
        "classification": _classification(detector),
        "whitening": dataclasses.asdict(detector.whitening) if whitened else None,
        "adversarial": dataclasses.asdict(attacks) if attacks.share else None,
        "micro_batch": detector.micro_batch,
        "average": detector.average.config.as_record() if detector.average else None,
        "memory": dataclasses.asdict(memory.config) if memory else None,
        "teacher": dataclasses.asdict(detector.teacher.config) if detector.teacher else None,
        "optimizer": dataclasses.asdict(detector.optimizer),
        "epochs": round(trainer.global_step / epoch, 2) if 0 < epoch < math.inf else None,
        "steps": trainer.global_step,
    }


def _classification(detector: Detector) -> dict[str, Any] | None:
    classes = detector.beside.as_record()
    return None if classes is None else dataclasses.asdict(detector.classification) | classes


def record_of(figures: CopyFigures, detector: Validated) -> dict[str, Any]:
    """The figures of a validation as a checkpoint keeps them, with what they are of.

    Args:
        figures: Of the validation that has just ended.
        detector: In a trainer.
    """
    # Plain values: a checkpoint holds no NumPy scalars, since it is read without code.
    values = {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in figures.as_json().items()
    }
    inference = detector.inference
    return values | {
        "step": detector.trainer.global_step,
        "data": detector.trainer.datamodule.set_name,  # type: ignore[attr-defined]
        "preprocessing": f"{inference.size} {inference.mode}",
    }
