"""Any file that holds a trained network, whoever wrote it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork, is_own, rebuild
from sscd.models.plain_file import first_line, kind_of, read_plain
from sscd.models.published.how import read_how
from sscd.models.published.multigrain import read_multigrain
from sscd.models.published.torchscript import read_torchscript
from sscd.models.published.weights import read_published


def load_network(path: Path) -> TrainedNetwork:
    """Rebuild the descriptor network that a file holds, in evaluation mode.

    The content decides, not the name: a checkpoint of `sscd train`, what `sscd export
    --model-only` wrote as safetensors, one of the three formats of the published SSCD weights, a
    training checkpoint of the published code, or the published weights of Multigrain or HOW.

    Args:
        path: The file.

    Raises:
        UserError: It is missing, damaged, of another kind or of another architecture.
    """
    # New networks draw random weights, which must not move the caller's random state.
    with torch.random.fork_rng(devices=[]):
        return _load(path)


def _load(path: Path) -> TrainedNetwork:
    match kind_of(path):
        case "safetensors":
            from sscd.models.packages.safetensors_file import read_package

            return read_package(path)
        case "torchscript":
            return read_torchscript(path)
        case "pickled":
            content = read_plain(path)
    try:
        if is_own(content):
            return rebuild(content, path=path)
        for read in (read_published, read_multigrain, read_how):
            if published := read(content, path=path):
                return published
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # Plain values of any kind may stand where tensors and settings belong.
        raise UserError(
            f"checkpoint {path} is damaged or was changed: {first_line(error)[:150]}"
        ) from error
    raise UserError(
        f"checkpoint {path} holds neither a network of `sscd train` nor published weights of SSCD, "
        f"Multigrain or HOW: {_found(content)}"
    )


def _found(content: Any) -> str:
    if not isinstance(content, Mapping):
        return f"it holds a {type(content).__name__}"
    inner = content.get("state_dict", content.get("model_state"))
    keys = list(inner) if isinstance(inner, Mapping) else list(content)
    return f"its first key is {str(keys[0])[:80]!r}" if keys else "it is empty"
