"""The published weights of Multigrain (Berman et al., 2019), as the DISC21 paper uses them.

`joint_3B_0.5.pth` holds a ResNet50 at `model_state`, under torchvision's names after `features.`.
The paper (section 5.1) describes pictures with GeM of p = 7 at a long side of 512 pixels, and
leaves out what is there besides: the classifier, and a whitening to ImageNet's statistics.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from sscd.augment.inference import InferenceSize
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import NetworkConfig
from sscd.models.published.fitting import Candidate, best_candidate, fitted, with_counters

INFERENCE = InferenceSize(512, "long_side")
P_INFERENCE = 7.0
_P_TRAINING = 3.0
_PREFIX = "features."
# Backbone → channels, the published one first.
_CHANNELS = {"resnet50": 2048, "resnet18": 512, "resnet101": 2048, "resnet152": 2048}
_LEFT_OUT = (
    *("classifier.", "pre_classifier.", "whitening.", "normalize.", "weighted_sampling."),
    "pool.",
)


def read_multigrain(content: Any, *, path: Path) -> TrainedNetwork | None:
    """The network of a published Multigrain file.

    Args:
        content: What the file holds.
        path: Where it was read, for messages and the record.

    Returns:
        The network in evaluation mode; None where the file is not of the kind at all.

    Raises:
        UserError: A key is missing, unknown or of another shape; the message names the first.
    """
    weights = content.get("model_state") if isinstance(content, Mapping) else None
    if not isinstance(weights, Mapping):
        return None
    weights = {str(key): value for key, value in weights.items()}
    if not any(key.startswith((f"{_PREFIX}conv1.", f"{_PREFIX}layer")) for key in weights):
        return None
    left_out = [key for key in weights if key.startswith(_LEFT_OUT)]
    kept = with_counters({key: value for key, value in weights.items() if key not in left_out})
    p = weights.get("pool.p")
    candidates = (
        Candidate(_config(backbone, float(p) if isinstance(p, Tensor) else _P_TRAINING), _name)
        for backbone in _CHANNELS
    )
    network = fitted(kept, best_candidate(kept, candidates), path=path, maker="Multigrain")
    recipe = {
        "source": "published Multigrain weights (Berman et al., 2019)",
        "file": path.name,
        "left_out": left_out,
    }
    return TrainedNetwork(network, INFERENCE, recipe)


def _config(backbone: str, p: float) -> NetworkConfig:
    return NetworkConfig(
        backbone, _CHANNELS[backbone], gem_p=p, gem_p_inference=P_INFERENCE, head="none"
    )


def _name(name: str) -> str:
    return f"{_PREFIX}{name.removeprefix('backbone.')}"
