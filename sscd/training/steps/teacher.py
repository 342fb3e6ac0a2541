"""A trained network whose similarities the trained one learns to have (`losses.distillation`)."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sscd.data.loading.view_batch import ViewBatch
from sscd.errors import UserError
from sscd.losses.distillation import relational_loss
from sscd.models.descriptor import DescriptorNet
from sscd.models.loading import load_network
from sscd.training.ranks.gather import gather_rows, rank, sum_over_ranks, world_size
from sscd.training.steps.describe_batch import describe_batch


@dataclass(frozen=True)
class TeacherConfig:
    """A teacher, which describes the same views beside the network that is trained.

    Attributes:
        path: Of a checkpoint, an exported network or published weights, of any backbone and
            dimensions; null for none. A resumed training needs it too.
        weight: Of the divergence from the teacher's similarities, which is added to the loss.
        temperature: τ of both networks' similarities; RDCD takes 0.04.
    """

    path: str | None = None
    weight: float = 1.0
    temperature: float = 0.04

    def __post_init__(self) -> None:
        for name in ("weight", "temperature"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(
                    f"teacher.{name} got {getattr(self, name)}; expected a number above 0"
                )


@dataclass(frozen=True)
class Taught:
    """How far the similarities are from the teacher's, on the device.

    Attributes:
        loss: Mean divergence of this rank's rows times its weight, with gradient.
        total: That of all ranks.
    """

    loss: Tensor
    total: Tensor


class Teacher:
    """A frozen network. It is no part of the module that trains, nor of its checkpoints.

    Args:
        config: With a path.
    """

    def __init__(self, config: TeacherConfig) -> None:
        self.config = config
        self._network: DescriptorNet | None = None

    def load(self) -> DescriptorNet:
        """The network, which is read at the first call.

        Raises:
            UserError: The file is missing, damaged or of another kind.
        """
        if self._network is None:
            if self.config.path is None:
                raise UserError("model.teacher.path is missing; give a trained network")
            self._network = load_network(Path(self.config.path)).network.requires_grad_(False)
        return self._network

    def teach(self, described: Tensor, batch: ViewBatch, *, micro_batch: int | None) -> Taught:
        """Compare this rank's descriptors with those of the teacher.

        Args:
            described: (N, D) unit-norm descriptors of the batch's views; N is the same on every
                rank.
            batch: The views.
            micro_batch: Pictures that the teacher describes at once; None for all.

        Raises:
            UserError: As `load`.
        """
        network = self.load().to(described.device).eval()
        with torch.no_grad():
            taught = describe_batch(network, batch, micro_batch=micro_batch)
        divergences = relational_loss(
            described,
            gather_rows(described),
            taught,
            gather_rows(taught),
            first_anchor=rank() * len(described),
            temperature=self.config.temperature,
        )
        loss = self.config.weight * divergences.mean()
        return Taught(loss, sum_over_ranks(loss) / world_size())
