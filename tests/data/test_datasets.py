"""Views and pictures as torch items: reproducible, and patient with broken files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sscd.augment.inference import InferenceSize
from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.data.datasets import (
    InferencePictures,
    TrainingViews,
    ViewBatch,
    collate_pictures,
    collate_views,
)
from sscd.data.loader import make_loader
from sscd.data.records import ImageSet
from sscd.data.samplers import EpochSampler, ShareSampler
from sscd.errors import UserError

COUNT = 8


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        noise = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / f"{index}.png")
    return image_set(root)


def image_set(root: Path) -> ImageSet:
    return ImageSet.from_names("test", root=root, names=[f"{i}.png" for i in range(COUNT)])


def views_of(pictures: ImageSet, *, seed: int = 0) -> TrainingViews:
    return TrainingViews(pictures, Recipe(RecipeConfig(), size=32), views=2, seed=seed)


def epoch_of(
    pictures: ImageSet, *, workers: int, epoch: int = 0, rank: int = 0, ranks: int = 1
) -> dict[int, torch.Tensor]:
    sampler = EpochSampler(len(pictures), seed=0, rank=rank, ranks=ranks)
    sampler.set_epoch(epoch)
    loader = make_loader(
        views_of(pictures), collate_views, workers=workers, sampler=sampler, batch_size=2
    )
    seen: dict[int, torch.Tensor] = {}
    for batch in loader:
        assert isinstance(batch, ViewBatch)
        for number, views in zip(batch.pictures.tolist(), batch.views, strict=True):
            assert number not in seen
            seen[number] = views
    return seen


def test_an_item_holds_different_views(pictures: ImageSet) -> None:
    sample = views_of(pictures)[0, 3]
    assert sample.tensor is not None
    assert sample.tensor.shape == (2, 3, 32, 32)
    assert sample.tensor.dtype == torch.uint8
    assert not torch.equal(sample.tensor[0], sample.tensor[1])


def test_views_do_not_depend_on_workers_or_ranks(pictures: ImageSet) -> None:
    alone = epoch_of(pictures, workers=0)
    assert len(alone) == COUNT
    shares = [epoch_of(pictures, workers=w, rank=r, ranks=2) for r, w in ((0, 2), (1, 0))]
    together = shares[0] | shares[1]
    assert set(shares[0]).isdisjoint(shares[1])
    assert set(together) == set(alone)
    for number, views in together.items():
        assert torch.equal(views, alone[number])


def test_views_and_order_change_with_the_epoch(pictures: ImageSet) -> None:
    first, second = (epoch_of(pictures, workers=0, epoch=e) for e in (0, 1))
    assert list(first) != list(second)
    assert not any(torch.equal(first[n], second[n]) for n in first)
    again = epoch_of(pictures, workers=0, epoch=1)
    assert list(again) == list(second)
    assert all(torch.equal(again[n], second[n]) for n in again)


def test_views_change_with_the_seed(pictures: ImageSet) -> None:
    one, other = (views_of(pictures, seed=s)[0, 0].tensor for s in (0, 1))
    assert one is not None
    assert other is not None
    assert not torch.equal(one, other)


def test_an_epoch_that_does_not_divide_gives_ranks_the_same_number() -> None:
    samplers = [EpochSampler(10, seed=0, rank=r, ranks=3) for r in range(3)]
    shares = [[index for _, index in sampler] for sampler in samplers]
    assert [len(share) for share in shares] == [3, 3, 3] == [len(s) for s in samplers]
    assert len({index for share in shares for index in share}) == 9


def test_shares_cover_everything_once() -> None:
    shares = [list(ShareSampler(10, rank=r, ranks=4)) for r in range(4)]
    assert sorted(index for share in shares for index in share) == list(range(10))


@pytest.fixture
def broken(pictures: ImageSet, tmp_path: Path) -> ImageSet:
    for index in range(COUNT):
        (tmp_path / f"{index}.png").write_bytes(pictures.path(index).read_bytes())
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.png").write_bytes(pictures.path(3).read_bytes()[:200])
    return image_set(tmp_path)


def test_a_broken_training_picture_is_replaced_and_named(broken: ImageSet) -> None:
    dataset = views_of(broken)
    sample = dataset[0, 2]
    assert sample.position == 4
    assert [Path(u.path).name for u in sample.unreadable] == ["2.png", "3.png"]
    batch = collate_views([dataset[0, 1], sample])
    assert batch.views.shape == (2, 2, 3, 32, 32)
    assert batch.pictures.tolist() == [1, 4]
    assert len(batch.unreadable) == 2


def test_a_broken_picture_to_describe_is_left_out(broken: ImageSet) -> None:
    dataset = InferencePictures(broken, InferenceSize(24, "short_side"))
    batch = collate_pictures([dataset[i] for i in range(4)])
    assert batch.positions.tolist() == [0, 1]
    assert [tuple(p.shape) for p in batch.pictures] == [(3, 24, 28), (3, 24, 28)]
    assert [Path(u.path).name for u in batch.unreadable] == ["2.png", "3.png"]


def test_a_set_without_a_readable_picture_is_an_error(tmp_path: Path) -> None:
    for index in range(COUNT):
        (tmp_path / f"{index}.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"0\.png and the 7 pictures after it cannot be read"):
        views_of(image_set(tmp_path))[0, 0]


def test_a_batch_without_a_readable_picture_is_empty(broken: ImageSet) -> None:
    dataset = InferencePictures(broken, InferenceSize(24, "square"))
    batch = collate_pictures([dataset[2], dataset[3]])
    assert batch.pictures == ()
    assert batch.positions.shape == (0,)
