"""What is trained beside the network: kept in checkpoints, and no part of what is exported."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sscd.data.labels import Labels
from sscd.errors import UserError
from sscd.training.optimization.groups import beside_groups
from sscd.training.optimization.optimizer_config import OptimizerConfig


class BesideNetwork(nn.Module):
    """A classifier and the margin loss's β, where they are asked for; else nothing.

    Args:
        beta: β at the start; None where it is not learnt.
    """

    beta: nn.Parameter | None
    classes: Tensor

    def __init__(self, *, beta: float | None) -> None:
        super().__init__()
        self.beta = None if beta is None else nn.Parameter(torch.tensor(beta))
        self.classifier: nn.Linear | None = None
        self.labels: Labels | None = None

    def learn_classes(self, labels: Labels, *, dims: int) -> None:
        """Have a new classifier of embeddings.

        Args:
            labels: Of the training pictures.
            dims: D, of an embedding.
        """
        self.labels = labels
        self.classifier = nn.Linear(dims, len(labels.names))
        self.register_buffer("classes", torch.from_numpy(labels.of_picture), persistent=False)

    def classes_of(self, contents: Tensor) -> Tensor:
        """The classes (N,) of views that show one picture each, contents (N, 1)."""
        return self.classes[contents[:, 0]]

    def groups(
        self, config: OptimizerConfig, *, pictures: int, beta_rate: float
    ) -> list[dict[str, Any]]:
        """Groups of parameters for the optimiser.

        Args:
            config: Its settings.
            pictures: Pictures a step over all ranks.
            beta_rate: β learns at so many times the full rate.
        """
        return beside_groups(
            [] if self.classifier is None else self.classifier.parameters(),
            [] if self.beta is None else [self.beta],
            config,
            rate=config.rate(pictures),
            share=beta_rate,
        )

    def as_record(self) -> dict[str, Any] | None:
        """The classes, in plain values; None without a classifier."""
        if self.labels is None:
            return None
        return {"classes": len(self.labels.names), "classes_digest": self.labels.digest}

    def check_resumable(self, state: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
        """Check that a checkpoint is of a training with the same beside its network.

        Args:
            state: Its state dict.
            recipe: What it says of its training.

        Raises:
            UserError: It had other classes, or learnt with β or without.
        """
        saved = recipe.get("classification") or {}
        had = {"classes": saved.get("classes"), "classes_digest": saved.get("classes_digest")}
        have = self.as_record() or dict.fromkeys(had)
        if had != have:
            now = "none" if self.labels is None else f"{len(self.labels.names)}"
            raise UserError(
                f"the checkpoint was trained with {had['classes'] or 'no'} classes, and there are "
                f"{f'{now} others' if now == str(had['classes']) else now} now; resume with the "
                "same model.classification and data.labels, or start anew with model.weights"
            )
        if ("beside.beta" in state) != (self.beta is not None):
            raise UserError(
                f"the checkpoint has {'a' if self.beta is None else 'no'} β that is learnt; resume "
                "with the same model.objective, or start anew with model.weights"
            )
