"""The published weights of HOW (Tolias, Jenicek and Chum, ECCV 2020).

A file holds a ResNet at `state_dict`, its parts counted after `features.` and its last stage left
out where the name ends in a minus (`how_r50-.pth`), and a 1×1 convolution that whitens: at
`dim_reduction.`, or at `whiten.` in older files. What it was built with stands at `net_params`, or
at `meta`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import IMAGE_MEAN, IMAGE_STD, NetworkConfig
from sscd.models.published.fitting import Candidate, best_candidate, fitted, with_counters

INFERENCE = InferenceSize(1024, "long_side")
_BACKBONES = ("resnet50", "resnet18", "resnet101", "resnet34", "resnet152")
_HEADS = ("dim_reduction", "whiten")
# Places in the Sequential conv1, bn1, ReLU, max-pooling, layer1 to layer4.
_PLACES = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
_BLOCK = re.compile(r"features\.(\d+)\.\d+\.conv1\.weight")


def read_how(content: Any, *, path: Path) -> TrainedNetwork | None:
    """The network of a published HOW file; its descriptor is the weighted sum of local ones.

    Args:
        content: What the file holds.
        path: Where it was read, for messages and the record.

    Returns:
        The network in evaluation mode; None where the file is not of the kind at all.

    Raises:
        UserError: A key is missing, unknown or of another shape, or the network was built with
            other settings than the published ones.
    """
    weights = content.get("state_dict") if isinstance(content, Mapping) else None
    if not isinstance(weights, Mapping):
        return None
    weights = {str(key): value for key, value in weights.items()}
    places = [int(found[1]) for key in weights if (found := _BLOCK.fullmatch(key))]
    if not places:
        return None
    _check_settings(content, path=path)
    head = next((name for name in _HEADS if f"{name}.weight" in weights), _HEADS[0])
    kept = with_counters(weights | _flat(f"{head}.weight", weights))
    matrix = kept.get(f"{head}.weight")
    dims = len(matrix) if isinstance(matrix, Tensor) and matrix.ndim else 128
    stage = min(max(places) - 3, 4)
    candidates = (
        Candidate(
            NetworkConfig(backbone, dims, pooling="attention", last_stage=max(stage, 1)),
            lambda name: _name(name, head=head),
        )
        for backbone in _BACKBONES
    )
    network = fitted(kept, best_candidate(kept, candidates), path=path, maker="HOW")
    recipe = {"source": "published HOW weights (Tolias et al., ECCV 2020)", "file": path.name}
    return TrainedNetwork(network, INFERENCE, recipe)


def _flat(key: str, weights: Mapping[str, Any]) -> dict[str, Any]:
    """The kernel (D, C, 1, 1) of the convolution as a matrix; nothing where it is no such one."""
    kernel = weights.get(key)
    if isinstance(kernel, Tensor) and kernel.ndim == 4 and kernel.shape[2:] == (1, 1):
        return {key: kernel[:, :, 0, 0]}
    return {}


def _name(name: str, *, head: str) -> str:
    part, top, *rest = name.split(".")
    if part == "head":
        return f"{head}.{top}"
    return ".".join(["features", str(_PLACES[top]), *rest])


def _check_settings(content: Mapping[Any, Any], *, path: Path) -> None:
    """Refuse a network that was built otherwise: its weights fit, and mean something else."""
    params, meta = content.get("net_params"), content.get("meta")
    if isinstance(params, Mapping):
        smoothing, runtime = params.get("smoothing"), params.get("runtime")
        kernel = smoothing.get("kernel_size") if isinstance(smoothing, Mapping) else None
        colours = runtime.get("mean_std") if isinstance(runtime, Mapping) else None
    elif isinstance(meta, Mapping) and "feat_pool_k" in meta:
        kernel = meta["feat_pool_k"]
        colours = [meta["mean"], meta["std"]] if {"mean", "std"} <= meta.keys() else None
    else:
        return
    if kernel != 3:
        raise UserError(
            f"checkpoint {path} smooths its map with a kernel of {kernel}, and published HOW "
            "networks with 3; give one of them"
        )
    if colours is not None and [list(values) for values in colours] != [
        list(IMAGE_MEAN),
        list(IMAGE_STD),
    ]:
        raise UserError(
            f"checkpoint {path} normalises pictures by {colours}, and published HOW networks by "
            "ImageNet's mean and deviation; give one of them"
        )
