"""Published TorchScript modules to our network: their weights, and proof that both agree."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import DescriptorNet
from sscd.models.plain_file import first_line
from sscd.models.published.facts import INFERENCE, recipe_of, threshold_of
from sscd.models.published.fitting import with_counters
from sscd.models.published.weights import network_of

_TOLERANCE = 1e-5


def read_torchscript(path: Path) -> TrainedNetwork:
    """The network of a published `*.torchscript.pt`, in evaluation mode.

    The module is run once, beside our network, on random pictures. It is a program, though one
    that knows only tensors: open such files only from a source that you trust.

    Raises:
        UserError: The file is damaged, holds other weights, or computes something else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch would rather have torch.export
            module: Any = torch.jit.load(path, map_location="cpu").eval()  # type: ignore[no-untyped-call]
        weights: dict[str, Tensor] = dict(module.state_dict())
    except Exception as error:  # damaged archives make the reader fail in any way at all
        raise UserError(f"checkpoint {path} is damaged: {first_line(error)[:200]}") from error
    if not weights:
        raise UserError(
            f"checkpoint {path} is a frozen TorchScript module, whose weights have no names; give "
            "the .classy.pt or .torchvision.pt file of the same network"
        )
    network = network_of(with_counters(weights), path=path)
    _check_agreement(network, module, path=path)
    return TrainedNetwork(network, INFERENCE, recipe_of(path), threshold=threshold_of(path))


def _check_agreement(network: DescriptorNet, module: Any, *, path: Path) -> None:
    pictures = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    try:
        with torch.inference_mode():
            theirs: Any = module(pictures)
            ours = network(pictures)
    except Exception as error:  # whatever the module does
        raise UserError(f"checkpoint {path} cannot be run: {first_line(error)[:200]}") from error
    if not isinstance(theirs, Tensor) or theirs.shape != ours.shape:
        raise UserError(
            f"checkpoint {path} gives no descriptors of {ours.shape[1]} dimensions; give one of "
            "the published SSCD networks"
        )
    difference = float((ours - theirs).abs().max())
    if not difference <= _TOLERANCE:
        raise UserError(
            f"checkpoint {path} computes other descriptors than its weights do in SSCD's network "
            f"(they differ by {difference:.1e}); give one of the published SSCD networks"
        )
