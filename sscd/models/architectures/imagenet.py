"""Weights learnt on ImageNet, as the libraries of the backbones offer them."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sscd.errors import UserError
from sscd.models.architectures.timm_backbones import PREFIX, imagenet_timm
from sscd.models.architectures.vision_transformer import VISION_TRANSFORMERS
from sscd.models.plain_file import first_line


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """A backbone's ImageNet weights, from this machine or downloaded.

    torchvision's newest recipe is taken, timm's default otherwise. What belongs to the classifier
    is there too.

    Args:
        name: A backbone's name.

    Raises:
        UserError: There are none, or they cannot be had; the message names the file.
    """
    if name.startswith(PREFIX):
        return imagenet_timm(name.removeprefix(PREFIX))
    from torchvision import models

    try:
        weights: Any = models.get_model_weights(name).DEFAULT
    except ValueError as error:
        raise UserError(
            f"model.weights imagenet: torchvision has no weights for {name}; give a file, or null"
        ) from error
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    state = _fetch(weights, cached)
    if name in VISION_TRANSFORMERS:
        from torchvision.models.vision_transformer import interpolate_embeddings

        # Some are of a higher resolution; our transformers keep the positions of 224 pixels.
        patch = int(name.rpartition("_")[2])
        state = dict(interpolate_embeddings(224 // patch * patch, patch, state))
    return state


def _fetch(weights: Any, cached: Path) -> dict[str, Tensor]:
    from filelock import FileLock

    try:
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            # The processes of one machine would each download it.
            with FileLock(f"{cached}.lock"):
                return dict(weights.get_state_dict(progress=False, check_hash=True))
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except OSError as error:  # of the network, or of the disk
        reason = getattr(error, "reason", error)
        raise UserError(
            f"model.weights imagenet: {weights.url} cannot be fetched ({reason}); put that file "
            f"at {cached}"
        ) from error
    except Exception as error:  # damaged files make torch's reader fail in any way at all
        raise UserError(
            f"model.weights imagenet: {cached} is damaged ({first_line(error)[:120]}); delete it, "
            "so that it is fetched again"
        ) from error
