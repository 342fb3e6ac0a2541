"""What a row needs to know of a network, which takes less memory than the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sscd.augment.inference import InferenceSize
from sscd.commands.describing import DescribeOptions
from sscd.errors import UserError
from sscd.models.descriptor import NetworkConfig
from sscd.models.seeing import seeing_note


@dataclass(frozen=True)
class NetworkFacts:
    """What a row needs to know of a network, which takes less memory than the network.

    Attributes:
        checkpoint: Its file.
        fingerprint: Of architecture and weights.
        config: Its architecture.
        dims: Length of its descriptors.
        inference: How pictures are resized.
        note: Its training and its input, for people.
    """

    checkpoint: Path
    fingerprint: str
    config: NetworkConfig
    dims: int
    inference: InferenceSize
    note: str

    @classmethod
    def read(cls, options: DescribeOptions) -> "NetworkFacts":
        """Load a checkpoint, and let it go.

        Raises:
            UserError: It cannot be used.
        """
        if options.checkpoint is None:
            raise UserError("pictures are described by a network; give --checkpoint")
        spec, trained = options.load()
        size = f"described at {spec.inference.size} px ({spec.inference.mode})"
        seen = seeing_note(trained.network.config)
        return cls(
            checkpoint=options.checkpoint,
            fingerprint=spec.origin.model,
            config=trained.network.config,
            dims=trained.network.dims,
            inference=spec.inference,
            note="; ".join([*training_note(trained.recipe), size, *filter(None, [seen])]),
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What descriptors depend on."""
        mode = f"{self.inference.size} {self.inference.mode}"
        return {"network": self.fingerprint, "inference": mode}


def training_note(recipe: Mapping[str, Any]) -> list[str]:
    """What a recipe says of the budget of a training, a few words a fact.

    Args:
        recipe: Of a checkpoint; empty where it does not say.

    >>> training_note({"training_pictures": 3849, "epochs": 8.0, "image_size": 64})
    ['3,849 training pictures, 8 epochs at 64 px']
    """
    if source := recipe.get("source"):
        return [str(source)]
    pictures, epochs = recipe.get("training_pictures"), recipe.get("epochs")
    said = []
    if isinstance(pictures, int):
        said.append(f"{pictures:,} training pictures")
    if isinstance(epochs, int | float):
        noun = "epoch" if epochs == 1 else "epochs"
        said.append(f"{epochs:g} {noun} at {recipe.get('image_size')} px")
    facts = [", ".join(said) or "training not known"]
    if recipe.get("weights"):
        facts.append("from other weights")
    if isinstance(classes := _within(recipe, "classification", "classes"), int):
        facts.append(f"{classes:,} classes")
    if isinstance(share := _within(recipe, "adversarial", "share"), int | float):
        facts.append(f"adversarial edits on {share:.0%} of the pictures")
    return facts


def _within(recipe: Mapping[str, Any], section: str, key: str) -> object:
    found = recipe.get(section)
    return found.get(key) if isinstance(found, Mapping) else None
