"""Batches of views of all kinds: put together from chunks, moved, and what their rows are."""

import pytest
import torch
from torch import Tensor

from sscd.augment.mixup import NO_PICTURE, MixupConfig
from sscd.augment.photometric import Photometric, pack
from sscd.data.loading.datasets import Unreadable
from sscd.data.loading.finishing import finish_views
from sscd.data.loading.view_batch import ViewBatch, join_views


def pixels(seed: int, pictures: int, views: int, side: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (pictures, views, 3, side, side)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def batch_of(first: int, pictures: int, *, photometric: Photometric | None = None) -> ViewBatch:
    """Three views, two local ones and the unedited picture of each."""
    numbers = torch.arange(first, first + pictures)
    return ViewBatch(
        views=pixels(first, pictures, 3, 8),
        contents=numbers[:, None, None].repeat(1, 6, 1),
        unreadable=(Unreadable(f"{first}.jpg", "broken"),),
        photometric=pack([photometric] * 6 * pictures).reshape(pictures, 6, -1)
        if photometric
        else None,
        epoch=4,
        local=pixels(first + 1, pictures, 2, 4),
        unedited=pixels(first + 2, pictures, 1, 8),
    )


def test_rows_are_views_local_views_and_the_unedited_picture() -> None:
    batch = batch_of(0, 2)
    assert batch.copies == 5
    assert batch.negative_only is not None
    assert batch.negative_only.tolist() == [False] * 5 + [True] + [False] * 5 + [True]
    plain = batch._replace(unedited=None, contents=batch.contents[:, :5])
    assert (plain.copies, plain.negative_only) == (5, None)
    assert list(batch.pixels) == ["views", "local", "unedited"]
    moved = batch.to(torch.device("meta"))
    assert {part.device.type for part in moved.pixels.values()} == {"meta"}
    assert moved.contents.device.type == "cpu"


@pytest.mark.parametrize("photometric", [None, Photometric(blur=1.0)])
def test_chunks_are_joined_kind_by_kind(photometric: Photometric | None) -> None:
    chunks = [batch_of(0, 2, photometric=photometric), batch_of(2, 3, photometric=photometric)]
    joined = join_views(chunks, 5)
    assert joined.tensors.keys() == chunks[0].tensors.keys()
    for name, whole in joined.tensors.items():
        assert torch.equal(whole, torch.cat([chunk.tensors[name] for chunk in chunks])), name
    assert joined.epoch == 4
    assert [u.path for u in joined.unreadable] == ["0.jpg", "2.jpg"]


def test_views_and_local_views_are_finished_and_the_unedited_picture_is_not() -> None:
    batch = batch_of(0, 3, photometric=Photometric(greyscale=True))
    done = finish_views(batch, mixup=MixupConfig(), seed=0)
    assert done.photometric is None
    assert done.local is not None
    for part in (done.views, done.local):
        assert torch.equal(part[:, :, 0], part[:, :, 2])
    assert done.unedited is batch.unedited
    assert torch.equal(done.contents, batch.contents)


def test_views_alone_are_mixed() -> None:
    batch = batch_of(0, 8)
    mixup = MixupConfig(probability=0.6)
    done = finish_views(batch, mixup=mixup, seed=0)
    assert done.local is batch.local
    assert done.unedited is batch.unedited
    assert done.contents.shape == (8, 6, 2)
    assert (done.contents[:, :3, 1] != NO_PICTURE).sum() > 6
    assert torch.equal(done.contents[:, 3:, 0], batch.contents[:, 3:, 0])
    assert (done.contents[:, 3:, 1] == NO_PICTURE).all()
    # What is mixed does not depend on what comes with the views.
    plain = batch._replace(local=None, unedited=None, contents=batch.contents[:, :3])
    alone = finish_views(plain, mixup=mixup, seed=0)
    assert torch.equal(done.views, alone.views)
    assert torch.equal(done.contents[:, :3], alone.contents)
