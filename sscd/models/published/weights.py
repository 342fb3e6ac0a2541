"""The published weights of SSCD, and training checkpoints of its code, to our network."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.published.facts import INFERENCE, recipe_of, threshold_of
from sscd.models.published.fitting import Candidate, best_candidate, fitted
from sscd.models.published.names import PublishedFormat, format_of, namer

# Every backbone that the published training code can build, the published ones first.
_BACKBONES = ("resnet50", "resnext101_32x4d", "resnet18", "resnext101_32x8d")
_BASIC = ("resnet18",)
_TRAINED_PREFIX = "model."


def read_published(content: Any, *, path: Path) -> TrainedNetwork | None:
    """The network of a published file, or of a training checkpoint of the published code.

    Args:
        content: What the file holds.
        path: Where it was read, for the messages and the record.

    Returns:
        The network in evaluation mode; None where the file is not of the kind at all.

    Raises:
        UserError: A key is missing, unknown or of another shape; the message names the first.
    """
    if not isinstance(content, Mapping):
        return None
    if isinstance(content.get("state_dict"), Mapping):
        return _read_training(content, path=path)
    if content and all(str(key).startswith(_TRAINED_PREFIX) for key in content):
        content = _without_prefix(content)
    if format_of(set(map(str, content))) is None:
        return None
    network = network_of(content, path=path)
    return TrainedNetwork(network, INFERENCE, recipe_of(path), threshold=threshold_of(path))


def network_of(weights: Mapping[str, Any], *, path: Path, gem_p: float = 3.0) -> DescriptorNet:
    """Our network with published weights, in evaluation mode.

    Raises:
        UserError: As for `read_published`.
    """
    format_ = format_of(set(weights))
    if format_ is None:
        raise UserError(
            f"checkpoint {path} holds no weights of SSCD: its keys begin with "
            f"{next(iter(weights), 'none')!r}"
        )
    candidate = best_candidate(weights, _candidates(weights, format_, gem_p=gem_p))
    return fitted(weights, candidate, path=path, maker="SSCD")


def _read_training(content: Mapping[str, Any], *, path: Path) -> TrainedNetwork | None:
    """A Lightning checkpoint of the published training code; its recipe is its settings."""
    weights = _without_prefix(content["state_dict"])
    if format_of(set(weights)) is None:
        return None
    settings = content.get("hyper_parameters")
    settings = settings.get("args", settings) if isinstance(settings, Mapping) else {}
    plain = {
        key: value
        for key, value in (vars(settings) if hasattr(settings, "__dict__") else settings).items()
        if isinstance(value, str | int | float | bool)
    }
    network = network_of(weights, path=path, gem_p=float(plain.get("pool_param", 3.0)))
    recipe = {"source": "a training of the published SSCD code", "file": path.name}
    return TrainedNetwork(network, INFERENCE, recipe | {"settings": plain})


def _without_prefix(weights: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).removeprefix(_TRAINED_PREFIX): value for key, value in weights.items()}


def _candidates(
    weights: Mapping[str, Any], format_: PublishedFormat, *, gem_p: float
) -> Iterator[Candidate]:
    dims = next(
        (
            len(weights[key])
            for key in ("embeddings.1.weight", "backbone.fc.weight")
            if key in weights
        ),
        512,
    )
    for backbone in _BACKBONES:
        yield Candidate(
            NetworkConfig(backbone, dims, gem_p), namer(format_, basic=backbone in _BASIC)
        )
