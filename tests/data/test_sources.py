"""One door to all layouts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.data.listing import scan_images
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.store import RemoteShards
from sscd.data.shards.writer import pack_shards
from sscd.data.sources import (
    FolderConfig,
    ProceduralConfig,
    cache_directory,
    open_collection,
)
from sscd.errors import UserError
from sscd.evaluation.edit_records import read_edits

SMALL = ProceduralConfig(size=32, training=4, references=6, copies=3, distractors=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("folder")
    rng = np.random.default_rng(0)
    for index in range(60):
        noise = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((48, 32)).save(root / f"{index}.png")
    return root


def test_procedural_pictures_stand_behind_the_same_interface(tmp_path: Path) -> None:
    collection = open_collection(None, cache=tmp_path, procedural=SMALL)
    assert (len(collection.training), len(collection.references)) == (4, 6)
    assert len(collection.queries) == 5
    assert len(collection.truth.pairs) == 3
    assert open_collection(None, cache=tmp_path, procedural=SMALL).truth == collection.truth
    assert collection.edits
    assert set(read_edits(collection.edits)) == set(collection.queries.ids)


def test_drawn_pictures_are_a_disc21_directory(tmp_path: Path) -> None:
    drawn = open_collection(None, cache=tmp_path, procedural=SMALL)
    again = open_collection(drawn.references.root.parent, cache=tmp_path)
    assert again.queries.ids == drawn.queries.ids
    assert again.truth == drawn.truth


def test_a_folder_is_split_and_its_copies_point_at_references(folder: Path, tmp_path: Path) -> None:
    collection = open_collection(folder, cache=tmp_path)
    training, references = set(collection.training.ids), set(collection.references.ids)
    assert training
    assert training.isdisjoint(references)
    assert {reference for _, reference in collection.truth.pairs} <= references
    assert len(collection.truth.pairs) == len(references), "at most 500 are copied, here all"
    assert collection.truth.listed == frozenset(collection.queries.ids)
    assert collection.edits
    assert set(read_edits(collection.edits)) == set(collection.queries.ids)


def test_fewer_copies_on_request(folder: Path, tmp_path: Path) -> None:
    config = FolderConfig(copies=2, max_distractors=1)
    collection = open_collection(folder, cache=tmp_path, folder=config)
    assert len(collection.truth.pairs) == 2
    assert len(collection.queries) == 3


def test_layout_and_root_must_fit(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--data\.root DIR"):
        open_collection(None, layout="folder", cache=tmp_path)
    with pytest.raises(UserError, match="reads no directory"):
        open_collection(tmp_path, layout="procedural", cache=tmp_path)
    with pytest.raises(UserError, match="none"):
        open_collection(tmp_path / "none", cache=tmp_path)


def test_limited_training_is_a_stable_part(folder: Path, tmp_path: Path) -> None:
    collection = open_collection(folder, cache=tmp_path)
    limited = collection.limit_training(5)
    assert len(limited.training) == 5
    assert set(limited.training.ids) <= set(collection.training.ids)
    assert "over the limit" in limited.left_out[-1]
    assert collection.limit_training(None) is collection


def test_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_directory(tmp_path) == tmp_path
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory(None) == tmp_path / "sscd"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory(None) == tmp_path / ".cache" / "sscd"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"references": 0.6, "distractors": 0.5}, "leave some for training"),
        ({"references": 0.0}, "above 0"),
        ({"copies": 0}, "at least 1"),
    ],
)
def test_folder_shares_are_checked(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FolderConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [({"size": 8}, "at least 32"), ({"copies": 301}, "at most 300 references")],
)
def test_procedural_counts_are_checked(values: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProceduralConfig(**values)


def test_half_a_disc21_is_no_plain_folder(folder: Path, tmp_path: Path) -> None:
    drawn = open_collection(None, cache=tmp_path, procedural=SMALL)
    root = drawn.references.root.parent
    drawn.references.root.rename(root / "elsewhere")
    with pytest.raises(UserError, match="has dev_queries/ like DISC21, but not all of it"):
        open_collection(root, cache=tmp_path)


def test_shards_take_the_place_of_training_files_alone(tmp_path: Path) -> None:
    drawn = open_collection(None, cache=tmp_path / "c", procedural=SMALL)
    root = drawn.references.root.parent
    images = scan_images(root / "train", name="training").images
    pack_shards(images, tmp_path / "train", PackOptions(), workers=0)
    opened = open_collection(root, shards=str(tmp_path / "train"))
    assert opened.training.ids == drawn.training.ids
    assert isinstance(opened.training.source(0), bytes)
    assert opened.references.ids == drawn.references.ids


def drawn_and_packed(
    tmp_path: Path, part: str, *, max_side: int | None = None
) -> tuple[Path, Path]:
    """A directory in DISC21's layout, and shards of a folder of it (`.` for all)."""
    drawn = open_collection(None, cache=tmp_path / "c", procedural=SMALL)
    root = drawn.references.root.parent
    images = scan_images(root / part, name="training").images
    pack_shards(images, tmp_path / "shards", PackOptions(max_side=max_side), workers=0)
    return root, tmp_path / "shards"


@pytest.mark.parametrize("max_side", [None, 16])
@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("references", r"\(references/\S+, …: 6 of 11 looked at\)"),
        ("dev_queries", r"\(dev_queries/\S+, …: 5 of 11 looked at\)"),
        (".", r"\(references/\S+, …: 11 of 11 looked at\)"),
    ],
)
def test_shards_of_what_is_validated_on_are_refused(
    tmp_path: Path, part: str, said: str, max_side: int | None
) -> None:
    root, shards = drawn_and_packed(tmp_path, part, max_side=max_side)
    with pytest.raises(UserError, match=rf"data\.shards {shards} holds pictures .*{said}; pack"):
        open_collection(root, shards=str(shards))


def test_other_pictures_of_equal_names_are_no_leak(folder: Path, tmp_path: Path) -> None:
    drawn = open_collection(None, cache=tmp_path / "c", procedural=SMALL)
    other = tmp_path / "other"
    other.mkdir()
    for index, name in enumerate(drawn.references.names.tolist()):
        (other / name.decode()).write_bytes((folder / f"{index}.png").read_bytes())
    pack_shards(scan_images(other, name="training").images, tmp_path / "s", PackOptions())
    opened = open_collection(drawn.references.root.parent, shards=str(tmp_path / "s"))
    assert opened.training.ids == opened.references.ids


def test_the_shard_cache_is_limited_in_gigabytes(tmp_path: Path) -> None:
    root, shards = drawn_and_packed(tmp_path, "train")
    url = f"file://{shards}"
    for given, limit in ((None, None), (2.5, 2_500_000_000)):
        opened = open_collection(root, cache=tmp_path, shards=url, shard_cache_gb=given)
        assert isinstance(opened.training, ShardedPictures)
        assert isinstance(opened.training.store, RemoteShards)
        assert opened.training.store.limit == limit
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match=r"data\.shard_cache_gb \S+: give a size above 0"):
            open_collection(root, cache=tmp_path, shards=url, shard_cache_gb=wrong)
