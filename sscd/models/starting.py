"""Where a training begins: ImageNet weights, or a network that somebody has trained."""

from pathlib import Path

import torch

from sscd.errors import UserError
from sscd.models.architectures.imagenet import imagenet_weights
from sscd.models.descriptor import DescriptorNet
from sscd.models.loading import load_network
from sscd.models.plain_file import first_line

IMAGENET = "imagenet"


def start_from(network: DescriptorNet, weights: str) -> str | None:
    """Put weights in the place of the random ones of a new network.

    Args:
        network: Any; its weights are changed in place.
        weights: `imagenet`, or the path of a file that `load_network` reads.

    Returns:
        What the user should know, in one line: that the head keeps its random weights because the
        file's has other dimensions, or that a projection is left out. None where there is nothing
        to say.

    Raises:
        UserError: The weights cannot be had, or are of another backbone.
    """
    if weights == IMAGENET:
        _start_from_imagenet(network)
        return None
    path = Path(weights)
    if not path.is_file():
        raise UserError(
            f"model.weights {path} is neither imagenet nor a file; give a checkpoint, an exported "
            ".safetensors file or published weights"
        )
    found = load_network(path).network
    asked = network.config
    if found.config.backbone != asked.backbone:
        raise UserError(
            f"model.weights {path} holds a {found.config.backbone}, and model.network.backbone is "
            f"{asked.backbone}; give weights of that backbone, or take that of the weights"
        )
    if found.config.last_stage < asked.last_stage:
        raise UserError(
            f"model.weights {path} ends at stage {found.config.last_stage}, and "
            f"model.network.last_stage is {asked.last_stage}; give weights of the whole backbone, "
            "or take that stage"
        )
    theirs = found.backbone.state_dict()
    network.backbone.load_state_dict({key: theirs[key] for key in network.backbone.state_dict()})
    if asked.gem_p_learnt and found.config.gem_p_learnt:
        network.pool.load_state_dict(found.pool.state_dict())
    said = [_start_head(network, found, path)]
    if found.projection is not None:
        said.append(f"model.weights {path} has a projection after its head: it is left out")
    return "; ".join(line for line in said if line) or None


def _start_head(network: DescriptorNet, found: DescriptorNet, path: Path) -> str | None:
    asked, given = network.config, found.config
    if asked.head == "none":
        return None
    same_map = asked.last_stage == given.last_stage
    same_sum = (asked.pooling == "attention") == (given.pooling == "attention")
    same = asked.head == given.head and same_map and same_sum
    if same and asked.dims == given.dims:
        network.head.load_state_dict(found.head.state_dict())
        return None
    if same:
        why = f"descriptors of {given.dims} dimensions, and model.network.dims is {asked.dims}"
    elif given.head == "none":
        why = "no head"
    elif not same_map:
        why = f"the head of stage {given.last_stage}, and the last is {asked.last_stage}"
    else:
        why = f"a head for pooling {given.pooling}, and model.network.pooling is {asked.pooling}"
    return (
        f"model.weights {path} has {why}: the backbone starts from the file, the head from random "
        "weights"
    )


def _start_from_imagenet(network: DescriptorNet) -> None:
    with torch.random.fork_rng(devices=[]):  # timm draws random weights before it loads others
        state = imagenet_weights(network.config.backbone)
    own = network.backbone.state_dict()
    try:
        network.backbone.load_state_dict({key: state[key] for key in state if key in own})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200] or first_line(error)
        raise UserError(
            f"model.weights imagenet does not fit {network.config.backbone}: {reason}"
        ) from error
