"""A head that is fitted before a training and not trained: PCA whitening of activations (HOW).

Tolias, Jenicek and Chum (ECCV 2020), section 4.1: the head is learnt on the smoothed activations
of 5,000 training pictures, 1,000 of the strongest of each, by PCA whitening with shrinkage.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sscd.data.pictures.groups import PictureGroups
from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet
from sscd.models.local_features import local_features
from sscd.models.whitening import whitening_of

# Of a picture, the strongest among which its share is taken, as published.
_STRONGEST = 1000


@dataclass(frozen=True)
class WhiteningConfig:
    """How the head of a network with `pooling: attention` is fitted before the training.

    Attributes:
        pictures: Training pictures that it is fitted on, 5000 as published; 0 trains the head like
            any other.
        activations: At most so many of them all, an equal share of each picture's strongest 1,000;
            published are all of these, 20 GB.
    """

    pictures: int = 5000
    activations: int = 200_000

    def __post_init__(self) -> None:
        if self.pictures < 0:
            raise ValueError(f"whitening.pictures got {self.pictures}; expected 0 or more")
        if self.activations < max(1, self.pictures):
            raise ValueError(
                f"whitening.activations got {self.activations}; expected at least one of each of "
                f"{self.pictures} pictures"
            )

    def whitens(self, network: DescriptorNet) -> bool:
        """Whether the head of a network is fitted and not trained."""
        config = network.config
        return self.pictures > 0 and config.pooling == "attention" and config.head == "linear"

    def check_resumable(self, network: DescriptorNet, recipe: Mapping[str, Any]) -> None:
        """Check that the head is trained, or not, as in the training of a checkpoint.

        Args:
            network: What is trained.
            recipe: What the checkpoint says of its training.

        Raises:
            UserError: It is otherwise: the optimiser has no place for the head, or one too many.
        """
        fitted = bool(recipe.get("whitening"))
        if fitted != self.whitens(network):
            raise UserError(
                f"the checkpoint was trained with{'' if fitted else 'out'} a head that is fitted "
                f"and not trained; resume with model.whitening.pictures "
                f"{recipe['whitening']['pictures'] if fitted else 0}, or start anew with "
                "model.weights"
            )


def fitted_head(
    network: DescriptorNet, batches: Iterable[PictureGroups], *, share: int
) -> tuple[Tensor, Tensor]:
    """Fit the head of a network to the activations of pictures.

    Args:
        network: With `pooling: attention`; it is in evaluation mode afterwards.
        batches: Pictures by size.
        share: Activations of a picture, at most.

    Returns:
        Weight (D, C) and bias (D,) of the head, on the CPU.

    Raises:
        UserError: The activations are too few or too short.
    """
    network.eval()
    found = [
        features.descriptors[_even(len(features), share)]
        for batch in batches
        for group in batch.groups
        for features in local_features(
            network, group, scales=(1.0,), limit=_STRONGEST, reduced=False
        )
    ]
    activations = torch.from_numpy(np.concatenate(found)) if found else torch.empty(0, 1)
    try:
        return whitening_of(activations, dims=network.config.dims)
    except ValueError as error:
        raise UserError(
            f"model.whitening: {error}; raise model.whitening.pictures, or lower model.network.dims"
        ) from error


def _even(count: int, share: int) -> list[int]:
    """At most `share` of `count` places, evenly apart."""
    wanted = min(count, share)
    return [place * count // wanted for place in range(wanted)]
