"""What is done to a batch of views on the training device: what the workers left, and mixing."""

import torch
from torch import Tensor
from torch.nn import functional

from sscd.augment.batch import apply_photometric
from sscd.augment.mixup import NO_PICTURE, MixupConfig, mix_views
from sscd.augment.seeds import view_rng
from sscd.data.loading.view_batch import ViewBatch

FINISHED_AT_ONCE = 512
"""Views that a device finishes at once, under 1 GB of its memory at 224 px."""


def finish_views(batch: ViewBatch, *, mixup: MixupConfig, seed: int) -> ViewBatch:
    """Do on the views' device what the workers have left, and mix pictures.

    What is mixed follows from the seed, the epoch and the pictures of the batch. Local views and
    the unedited pictures are not mixed.

    Args:
        batch: Views on any device; `contents` and `photometric` on the CPU.
        mixup: How often and how views are mixed.
        seed: Of the training.

    Returns:
        The batch with nothing left to do, its contents on the views' device.
    """
    views, contents, local = batch.views, batch.contents, batch.local
    count = views.shape[1]
    if batch.photometric is not None:
        views = _apply_photometric(views, batch.photometric[:, :count])
        if local is not None:
            of_local = batch.photometric[:, count : count + local.shape[1]]
            local = _apply_photometric(local, of_local)
    if mixup.mixes:
        name = "mixup/" + ",".join(map(str, contents[:, 0, 0].tolist()))
        rng = view_rng(seed=seed, epoch=batch.epoch, image_id=name, view=0)
        pictures = contents[:, :count, 0].flatten()
        mixed = mix_views(views.flatten(0, 1), pictures, mixup, rng)
        views = mixed.views.reshape(views.shape)
        contents = _with_mixed(contents, mixed.pictures.reshape(*views.shape[:2], -1))
    contents = contents.to(views.device, non_blocking=True)
    return batch._replace(views=views, contents=contents, photometric=None, local=local)


def _with_mixed(contents: Tensor, mixed: Tensor) -> Tensor:
    """The contents (B, R, C) where those (B, V, C') of the first V views are others now."""
    count = mixed.shape[1]
    if count == contents.shape[1]:
        return mixed
    unmixed = contents.to(mixed.device, non_blocking=True)[:, count:]
    room = mixed.shape[2] - unmixed.shape[2]
    return torch.cat([mixed, functional.pad(unmixed, (0, room), value=NO_PICTURE)], dim=1)


def _apply_photometric(views: Tensor, photometric: Tensor) -> Tensor:
    """Finish (B, V, 3, S, S) views some at a time, since it is done in float32."""
    rows, parameters = views.flatten(0, 1), photometric.flatten(0, 1)
    done = torch.empty_like(rows)
    for start in range(0, len(rows), FINISHED_AT_ONCE):
        some = slice(start, start + FINISHED_AT_ONCE)
        done[some] = apply_photometric(rows[some], parameters[some])
    return done.reshape(views.shape)
