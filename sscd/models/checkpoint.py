"""Checkpoints: what rebuilds a network from its file, read without executing code."""

import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet, NetworkConfig

_KEY = "sscd"
_FORMAT = 1
_PREFIX = "network."


@dataclass(frozen=True)
class TrainedNetwork:
    """A network from a checkpoint, with how its pictures are resized.

    Attributes:
        network: In evaluation mode.
        inference: How pictures are resized to be described.
        recipe: How it was trained, in plain values; empty in checkpoints that do not say.
    """

    network: DescriptorNet
    inference: InferenceSize
    recipe: Mapping[str, Any] = field(default_factory=dict)


def pack_metadata(
    network: NetworkConfig,
    inference: InferenceSize,
    *,
    trained_at: int,
    optimizer: str,
    recipe: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a checkpoint must say beside its weights, in plain values.

    Args:
        network: What rebuilds the network.
        inference: How pictures are resized to be described.
        trained_at: Side of the training views in pixels.
        optimizer: Whose state the checkpoint holds.
        recipe: How the network is trained, in plain values, for the record of an export.
    """
    described = {
        "format": _FORMAT,
        "network": dataclasses.asdict(network),
        "inference": dataclasses.asdict(inference),
        "trained_at": trained_at,
        "optimizer": optimizer,
        "recipe": dict(recipe or {}),
    }
    return {_KEY: described}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a training checkpoint with `weights_only=True`.

    Raises:
        UserError: There is no such file, it is damaged, or it is no checkpoint of this project.
    """
    if not path.is_file():
        raise UserError(f"checkpoint {path} does not exist; name a .ckpt file of a training run")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"checkpoint {path} is no plain checkpoint (it holds code, or is not one at all); "
            "give a .ckpt file that `sscd train` wrote"
        ) from error
    except Exception as error:  # other bytes make the unpickler fail in any way at all
        raise UserError(f"checkpoint {path} is damaged: {_first_line(error)}") from error
    if not isinstance(content, dict) or _KEY not in content or "state_dict" not in content:
        raise UserError(
            f"checkpoint {path} was not written by `sscd train`: it has no '{_KEY}' entry"
        )
    return content


def check_resumable(path: Path, network: NetworkConfig, *, optimizer: str) -> int:
    """Check that a training can go on from a checkpoint, and say from which step.

    Raises:
        UserError: The file is missing or damaged, or of another architecture or optimiser.
    """
    content = read_checkpoint(path)
    saved, asked = content[_KEY].get("network", {}), dataclasses.asdict(network)
    differing = [key for key, value in asked.items() if saved.get(key) != value]
    if differing:
        key = differing[0]
        raise UserError(
            f"checkpoint {path} has {key} {saved.get(key)}, and model.network.{key} is "
            f"{asked[key]}; resume with the same network"
        )
    if content[_KEY].get("optimizer") != optimizer:
        raise UserError(
            f"checkpoint {path} holds the state of {content[_KEY].get('optimizer')}, and "
            f"model.optimizer.name is {optimizer}; resume with the same optimiser"
        )
    return int(content["global_step"])


def load_network(path: Path) -> TrainedNetwork:
    """Rebuild the descriptor network of a checkpoint, in evaluation mode.

    Raises:
        UserError: The file is missing, damaged, of another format or of another architecture.
    """
    content = read_checkpoint(path)
    described = content[_KEY]
    try:
        if described["format"] != _FORMAT:
            raise UserError(
                f"checkpoint {path} has format {described['format']}; this version reads {_FORMAT}"
            )
        network = DescriptorNet(NetworkConfig(**described["network"]))
        inference = InferenceSize(**described["inference"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"checkpoint {path} describes no network: {_first_line(error)}") from error
    weights = {
        key.removeprefix(_PREFIX): value
        for key, value in content["state_dict"].items()
        if key.startswith(_PREFIX)
    }
    load_weights(network, weights, source=path)
    return TrainedNetwork(network.eval(), inference, dict(described.get("recipe") or {}))


def load_weights(network: DescriptorNet, weights: dict[str, Any], *, source: Path) -> None:
    """Load weights that must fit exactly.

    Raises:
        UserError: A key is missing, unknown, or of another shape; the message names the first.
    """
    own = network.state_dict()
    problems = [f"'{key}' is missing" for key in own if key not in weights]
    problems += [f"'{key}' is unknown" for key in weights if key not in own]
    problems += [
        f"'{key}' has shape {tuple(weights[key].shape)}, expected {tuple(value.shape)}"
        for key, value in own.items()
        if key in weights and weights[key].shape != value.shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        config = network.config
        raise UserError(
            f"checkpoint {source} does not fit {config.backbone} with {config.dims} dimensions: "
            f"{problems[0]}{more}; give a checkpoint of that architecture"
        )
    network.load_state_dict(weights)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
