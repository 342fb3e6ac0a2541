"""The descriptors of a batch whose views are of two sizes, in the order of its rows."""

from typing import Any

import torch
from torch import Tensor, nn

from sscd.data.loading.view_batch import ViewBatch
from sscd.training.steps.micro_batches import describe_in_micro_batches


def describe_batch(
    network: nn.Module, batch: ViewBatch, *, micro_batch: int | None, **settings: Any
) -> Tensor:
    """Describe all views of a batch: those of one size together, the local ones by themselves.

    Args:
        network: (N, 3, S, S) → (N, D), for any S.
        batch: B pictures with R views each.
        micro_batch: Pictures described at once; all of them if None.
        settings: What the network is called with besides.

    Returns:
        (B·R, D) descriptors, picture by picture: the views, the local views, the unedited picture.
    """
    views, local = batch.views, batch.local
    count = views.shape[1]
    if batch.unedited is not None:
        views = torch.cat([views, batch.unedited], dim=1)
    described = describe_in_micro_batches(network, views, micro_batch=micro_batch, **settings)
    if local is None:
        return described
    small = describe_in_micro_batches(network, local, micro_batch=micro_batch, **settings)
    large, small = (rows.reshape(len(local), -1, rows.shape[1]) for rows in (described, small))
    return torch.cat([large[:, :count], small, large[:, count:]], dim=1).flatten(0, 1)
