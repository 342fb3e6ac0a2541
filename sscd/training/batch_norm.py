"""Batch norm in training: frozen on request, and synchronised over ranks whatever its class."""

import sys
from typing import Any

import torch
from lightning.pytorch.plugins.layer_sync import TorchSyncBatchNorm
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_batch_norm(network: nn.Module) -> None:
    """Let batch norm layers use their running statistics, and leave these as they are.

    Their scales and shifts are trained all the same. Call it after every `train()`.

    Args:
        network: Changed in place.
    """
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


class SyncBatchNorm(TorchSyncBatchNorm):
    """Synchronises batch norm over ranks, timm's layers among them.

    Those of timm hold the activation that follows; torch's own conversion drops it in silence.
    """

    def apply(self, model: nn.Module) -> nn.Module:
        """Convert the batch norm layers of a model."""
        layers = _timm_layers()
        return super().apply(model) if layers is None else layers.convert_sync_batchnorm(model)

    def revert(self, model: nn.Module) -> nn.Module:
        """Convert them back."""
        layers = _timm_layers()
        if layers is not None:
            _revert_timm(model, layers)
        return super().revert(model)


def batch_norm_plugins(accelerator: Any) -> list[SyncBatchNorm]:
    """What synchronises batch norm over ranks, where their device can: torch's runs on GPUs only.

    Args:
        accelerator: The trainer's setting.
    """
    on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return [SyncBatchNorm()] if on_gpu else []


def _timm_layers() -> Any:
    """Timm's layers, where a network has been built of them."""
    return sys.modules.get("timm.layers")


def _revert_timm(model: nn.Module, layers: Any) -> None:
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, layers.SyncBatchNormAct):
                plain = layers.BatchNormAct2d(
                    child.num_features, child.eps, child.momentum, child.affine, apply_act=False
                )
                plain.load_state_dict(child.state_dict())
                plain.to(child.running_mean.device)
                plain.act, plain.drop = child.act, child.drop
                plain.train(child.training)
                parent.add_module(name, plain)
