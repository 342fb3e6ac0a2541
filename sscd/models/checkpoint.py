"""Checkpoints: what rebuilds a network from its file, read without executing code."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.plain_file import first_line, kind_of, read_plain
from sscd.models.pooling import GeM
from sscd.models.threshold import MatchThreshold, threshold_of_figures

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
        figures: Of its last validation, in plain values; empty where there was none.
        threshold: From which score on two pictures are copies; None where it is not known.
        licence: Of the weights; empty where the file does not say.
        name: What people call it; empty where the file does not say.
        projection: How the projection after the network was learnt, in plain values; empty where
            there is none.
        stricter: As `threshold`, for 99 % precision.
        calibration: What thresholds for other precisions are chosen by, as
            `sscd.evaluation.calibration` writes it; None where the file carries none.
    """

    network: DescriptorNet
    inference: InferenceSize
    recipe: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    threshold: MatchThreshold | None = None
    licence: str = ""
    name: str = ""
    projection: Mapping[str, Any] = field(default_factory=dict)
    stricter: MatchThreshold | None = None
    calibration: Mapping[str, Any] | None = None


def pack_metadata(
    network: NetworkConfig,
    inference: InferenceSize,
    *,
    trained_at: int,
    optimizer: str,
    recipe: Mapping[str, Any] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a checkpoint must say beside its weights, in plain values.

    Args:
        network: What rebuilds the network.
        inference: How pictures are resized to be described.
        trained_at: Side of the training views in pixels.
        optimizer: Whose state the checkpoint holds.
        recipe: How the network is trained, in plain values, for the record of an export.
        figures: Of the last validation, in plain values.
    """
    described = {
        "format": _FORMAT,
        "network": dataclasses.asdict(network),
        "inference": dataclasses.asdict(inference),
        "trained_at": trained_at,
        "optimizer": optimizer,
        "recipe": dict(recipe or {}),
        "figures": dict(figures or {}),
    }
    return {_KEY: described}


def figures_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the last validation before a checkpoint; empty where there was none."""
    return dict(checkpoint.get(_KEY, {}).get("figures") or {})


def recipe_in(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """How a checkpoint's network is trained, in plain values; empty where it does not say."""
    return dict(checkpoint.get(_KEY, {}).get("recipe") or {})


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a training checkpoint with `weights_only=True`.

    Raises:
        UserError: There is no such file, it is damaged, or it is no checkpoint of this project.
    """
    content = read_plain(path) if kind_of(path) == "pickled" else None
    if not is_own(content):
        raise UserError(
            f"checkpoint {path} was not written by `sscd train`: it has no '{_KEY}' entry"
        )
    return content


def is_own(content: Any) -> TypeGuard[dict[str, Any]]:
    """Whether what a file holds is a training checkpoint of this project."""
    return isinstance(content, dict) and _KEY in content and "state_dict" in content


def check_resumable(path: Path, network: NetworkConfig, *, optimizer: str) -> int:
    """Check that a training can go on from a checkpoint, and say from which step.

    Raises:
        UserError: The file is missing or damaged, or of another architecture or optimiser.
    """
    content = read_checkpoint(path)
    # A checkpoint of before a setting was there was trained with what is now its default.
    saved = dataclasses.asdict(NetworkConfig()) | content[_KEY].get("network", {})
    asked = dataclasses.asdict(network)
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


def rebuild(content: Mapping[str, Any], *, path: Path) -> TrainedNetwork:
    """The descriptor network of a training checkpoint, in evaluation mode.

    Args:
        content: As `read_checkpoint` gives it.
        path: Where it was read, for the messages.

    Raises:
        UserError: It is of another format or of another architecture.
    """
    described = content[_KEY]
    try:
        if described["format"] != _FORMAT:
            raise UserError(
                f"checkpoint {path} has format {described['format']}; this version reads {_FORMAT}"
            )
        network = DescriptorNet(NetworkConfig(**described["network"]))
        inference = InferenceSize(**described["inference"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"checkpoint {path} describes no network: {first_line(error)}") from error
    weights = {
        key.removeprefix(_PREFIX): value
        for key, value in content["state_dict"].items()
        if key.startswith(_PREFIX)
    }
    load_weights(network, weights, source=path)
    figures = figures_of(content)
    return TrainedNetwork(
        network.eval(),
        inference,
        dict(described.get("recipe") or {}),
        figures,
        threshold_of_figures(figures),
    )


def load_weights(network: DescriptorNet, weights: dict[str, Any], *, source: Path) -> None:
    """Load weights that must fit exactly; an exponent that was learnt becomes the setting too.

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
    if isinstance(network.pool, GeM) and network.config.gem_p_learnt:
        network.config = dataclasses.replace(network.config, gem_p=network.pool.exponent)
