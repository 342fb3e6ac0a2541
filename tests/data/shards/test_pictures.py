"""Pictures out of shards: the same bytes and views as from files, patient with broken shards."""

import json
import shutil
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.multiprocessing.spawn import spawn

from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.data.decode import UnreadableImage
from sscd.data.listing import scan_images
from sscd.data.loading.loader import make_loader
from sscd.data.loading.samplers import EpochSampler
from sscd.data.loading.step_loader import StepLoader
from sscd.data.loading.training_views import TrainingViews, collate_views
from sscd.data.loading.view_batch import ViewBatch, join_views
from sscd.data.records import ImageSet, Pictures
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.writer import pack_shards
from sscd.errors import UserError

COUNT = 41
NAMES = ("träume/ein bild.png", "a.b.png", "same.png", "same.jpg", "x" * 120 + ".png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Noise of about 250 KB a picture, so that a shard of a megabyte holds a few."""
    root = tmp_path_factory.mktemp("folder")
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        name = NAMES[index] if index < len(NAMES) else f"sub{index % 3}/{index:03d}.png"
        path = root / name
        path.parent.mkdir(exist_ok=True)
        noise = rng.integers(0, 256, (280, 300 + index % 7, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path, compress_level=0)
    return scan_images(root, name="training").images


@pytest.fixture(scope="module")
def packed(folder: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "shards"
    pack_shards(folder, out, PackOptions(megabytes=1))
    return out


@pytest.fixture
def copy(packed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(packed, tmp_path / "shards"))


def open_shards(directory: Path) -> ShardedPictures:
    return ShardedPictures.open(str(directory), cache=directory / "no cache")


def views_of(pictures: Pictures) -> TrainingViews:
    return TrainingViews(pictures, Recipe(RecipeConfig(), size=32), views=2, seed=3)


def epoch_of(
    pictures: ShardedPictures, *, workers: int = 0, rank: int = 0, ranks: int = 1
) -> list[ViewBatch]:
    sampler = EpochSampler(
        len(pictures), seed=3, rank=rank, ranks=ranks, shards=pictures.shards, window=4
    )
    loader = StepLoader(
        views_of(pictures),
        collate_views,
        join_views,
        sampler=sampler,
        batch_size=4,
        chunk=3,
        workers=workers,
    )
    return list(loader)


def numbers(batches: list[ViewBatch]) -> list[int]:
    return [int(n) for batch in batches for n in batch.contents[:, 0, 0]]


def test_the_bytes_and_ids_are_those_of_the_files(folder: ImageSet, packed: Path) -> None:
    pictures = open_shards(packed)
    assert len(pictures) == len(folder) == COUNT
    assert pictures.ids == folder.ids
    assert len(pictures.index.shards) > 8
    for index in range(COUNT):
        assert pictures.id(index) == folder.id(index)
        assert pictures.read(index) == folder.path(index).read_bytes()


def test_a_subset_keeps_ids_and_bytes(folder: ImageSet, packed: Path) -> None:
    some = open_shards(packed).subset([30, 2, 17], name="some")
    assert (len(some), some.name) == (3, "some")
    assert some.ids == [folder.id(index) for index in (30, 2, 17)]
    assert some.names.tolist() == folder.subset([30, 2, 17]).names.tolist()
    assert some.read(2) == folder.path(17).read_bytes()
    assert len(epoch_of(some)) == 0
    order = EpochSampler(3, seed=0, rank=0, ranks=1, shards=some.shards)
    assert sorted(index for _, index in order) == [0, 1, 2]


def test_views_are_those_of_the_files(folder: ImageSet, packed: Path) -> None:
    from_files, from_shards = views_of(folder), views_of(open_shards(packed))
    for key in ((0, 0), (0, 5), (7, 5), (2, COUNT - 1)):
        assert torch.equal(from_files[key].views, from_shards[key].views)
        assert from_files[key].picture == from_shards[key].picture


def test_an_epoch_does_not_depend_on_workers(packed: Path) -> None:
    alone, helped = (epoch_of(open_shards(packed), workers=w) for w in (0, 2))
    assert numbers(alone) == numbers(helped)
    assert len(set(numbers(alone))) == COUNT - COUNT % 4 == len(numbers(alone))
    assert all(torch.equal(a.views, b.views) for a, b in zip(alone, helped, strict=True))


def test_a_resumed_epoch_has_the_same_views(packed: Path) -> None:
    pictures = open_shards(packed)
    expected = epoch_of(pictures)

    def loader(workers: int) -> StepLoader:
        sampler = EpochSampler(COUNT, seed=3, rank=0, ranks=1, shards=pictures.shards, window=4)
        return StepLoader(
            views_of(pictures),
            collate_views,
            join_views,
            sampler=sampler,
            batch_size=4,
            workers=workers,
        )

    first = loader(2)
    batches = iter(first)
    seen = [next(batches) for _ in range(3)]
    second = loader(1)
    second.load_state_dict(first.state_dict())
    together = seen + list(second)
    assert numbers(together) == numbers(expected)
    assert all(torch.equal(a.views, b.views) for a, b in zip(together, expected, strict=True))


def _rank(rank: int, ranks: int, port: int, directory: str, out: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=ranks
    )
    mine = numbers(
        epoch_of(
            open_shards(Path(directory)),
            rank=torch.distributed.get_rank(),
            ranks=torch.distributed.get_world_size(),
        )
    )
    shares: list[list[int]] = [[] for _ in range(ranks)]
    torch.distributed.all_gather_object(shares, mine)
    if rank == 0:
        Path(out).write_text(json.dumps(shares))
    torch.distributed.destroy_process_group()


def test_two_processes_share_an_epoch(packed: Path, tmp_path: Path, free_port: int) -> None:
    out = tmp_path / "shares.json"
    arguments = (2, free_port, str(packed), str(out))
    spawn(_rank, args=arguments, nprocs=2)  # type: ignore[no-untyped-call]
    shares = json.loads(out.read_text())
    assert [len(share) for share in shares] == [20, 20]  # of 41: one does not divide by 2
    assert len(set(shares[0]) | set(shares[1])) == 40


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def damage_members(directory: Path, index: int) -> None:
    pictures = open_shards(directory)
    shard = directory / pictures.index.shards[pictures.shards[index]].name
    data = bytearray(shard.read_bytes())
    offset, size = int(pictures.index.offset[index]), int(pictures.index.size[index])
    data[offset : offset + size] = bytes(size)
    shard.write_bytes(data)


def test_a_broken_picture_is_replaced_and_named(copy: Path) -> None:
    damage_members(copy, 7)
    pictures = open_shards(copy)
    assert pictures.broken == ()
    sample = views_of(pictures)[0, 7]
    assert sample.picture == 8
    [unreadable] = sample.unreadable
    assert unreadable.path == str(pictures.path(7))
    assert "shard-" in unreadable.path
    assert unreadable.reason == "not a picture of a known format"


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"x" * 600)])
def test_a_broken_shard_is_counted_and_the_epoch_goes_on(
    copy: Path, harm: Callable[[Path], object]
) -> None:
    harm(copy / "shard-00002.tar")
    pictures = open_shards(copy)
    lost = np.flatnonzero(pictures.shards == 2).tolist()
    [line] = pictures.broken
    assert "shard-00002.tar" in line
    assert f"{len(lost)} pictures" in line
    batches = epoch_of(pictures, workers=2)
    assert len(numbers(batches)) == COUNT - COUNT % 4
    assert not set(numbers(batches)) & set(lost)
    named = {u.path for batch in batches for u in batch.unreadable}
    assert named <= {str(pictures.path(index)) for index in lost}
    assert len(named) >= len(lost) - 1  # the one that the epoch leaves out may be among them
    with pytest.raises(UnreadableImage, match=r"shard-00002\.tar (is missing|is truncated)"):
        pictures.read(lost[0])


def test_nothing_readable_is_an_error(copy: Path) -> None:
    for shard in copy.glob("shard-*.tar"):
        shard.unlink()
    with pytest.raises(UserError, match=r"none of \d+ shards is there"):
        open_shards(copy)


def test_shards_are_plain_tar_files(folder: ImageSet, packed: Path, tmp_path: Path) -> None:
    for shard in packed.glob("shard-*.tar"):
        with tarfile.open(shard) as tar:
            tar.extractall(tmp_path / "again", filter="data")
    again = scan_images(tmp_path / "again", name="training").images
    assert again.names.tolist() == folder.names.tolist()
    assert all(again.path(i).read_bytes() == folder.path(i).read_bytes() for i in range(COUNT))


def test_reading_keeps_nothing(packed: Path) -> None:
    pictures = open_shards(packed)
    pictures.read(0)
    tracemalloc.start()
    for index in range(COUNT):
        pictures.read(index)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000  # less than half a picture


def test_it_travels_to_spawned_workers(packed: Path) -> None:
    pictures = open_shards(packed)
    loader = make_loader(
        views_of(pictures),
        collate_views,
        workers=1,
        sampler=EpochSampler(COUNT, seed=0, rank=0, ranks=1),
        batch_size=20,
        multiprocessing_context="spawn",
    )
    assert len(numbers(list(loader))) == COUNT
