"""Other people's weights to our network: by name, and only where every name and shape fits."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet, NetworkConfig


@dataclass(frozen=True)
class Candidate:
    """A network that a file may hold.

    Attributes:
        config: The network.
        name_of: Our name of a parameter → that in the file.
    """

    config: NetworkConfig
    name_of: Callable[[str], str]


def best_candidate(weights: Mapping[str, Any], candidates: Iterable[Candidate]) -> Candidate:
    """The network whose names and shapes fit best; the first that fits whole.

    Args:
        weights: What the file holds.
        candidates: At least one.

    Raises:
        ValueError: There is none.
    """
    best: tuple[int, Candidate] | None = None
    for candidate in candidates:
        with torch.device("meta"):
            own = DescriptorNet(candidate.config).state_dict()
        shapes = {candidate.name_of(key): value.shape for key, value in own.items()}
        fitting = sum(_shape(weights.get(key)) == shape for key, shape in shapes.items())
        if best is None or fitting > best[0]:
            best = fitting, candidate
        if fitting == len(shapes):
            break
    if best is None:
        raise ValueError("there is no network to compare with")
    return best[1]


def fitted(
    weights: Mapping[str, Any], candidate: Candidate, *, path: Path, maker: str
) -> DescriptorNet:
    """A network with the weights of a file, in evaluation mode.

    Args:
        weights: All that the file holds of it.
        candidate: The network.
        path: The file, for messages.
        maker: Whose networks they are, for messages.

    Raises:
        UserError: A key is missing, unknown or of another shape; the message names the first.
    """
    network = DescriptorNet(candidate.config)
    own = network.state_dict()
    names = {key: candidate.name_of(key) for key in own}
    expected = set(names.values())
    problems = [f"'{name}' is missing" for name in names.values() if name not in weights]
    problems += [f"'{name}' is unknown" for name in weights if name not in expected]
    problems += [
        f"'{names[key]}' has shape {_shape(weights[names[key]])}, expected {tuple(value.shape)}"
        for key, value in own.items()
        if names[key] in weights and _shape(weights[names[key]]) != value.shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UserError(
            f"checkpoint {path} holds no whole {candidate.config.backbone} of {maker}: "
            f"{problems[0]}{more}; fetch it again, or give published weights"
        )
    network.load_state_dict({key: weights[name] for key, name in names.items()})
    return network.eval()


def with_counters(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Add the counters of batches that files of inference and of old versions of torch lack."""
    counters = {
        f"{key.removesuffix('running_var')}num_batches_tracked": torch.tensor(0)
        for key in weights
        if key.endswith(".running_var")
    }
    return counters | dict(weights)


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None
