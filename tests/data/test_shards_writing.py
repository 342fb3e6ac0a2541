"""Packing: what is written, what is left out, and going on after an interruption."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sscd.data import shard_writer
from sscd.data.decode import load_image
from sscd.data.listing import scan_images
from sscd.data.records import ImageSet
from sscd.data.shard_writer import Packed, PackOptions, pack_shards
from sscd.data.shards import ShardedPictures
from sscd.errors import UserError

COUNT = 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    root.mkdir()
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        noise = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / f"{index:02d}.png", compress_level=0)
    return root


def pack(root: Path, out: Path, *, workers: int = 1, **options: Any) -> Packed:
    images = scan_images(root, name="training").images
    return pack_shards(images, out, PackOptions(**{"megabytes": 1, **options}), workers=workers)


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def opened(out: Path) -> ShardedPictures:
    return ShardedPictures.open(str(out), cache=out / "no cache")


def test_shards_are_of_the_size_asked_for_and_nothing_else_stays(
    root: Path, tmp_path: Path
) -> None:
    packed = pack(root, tmp_path / "out")
    files = content(tmp_path / "out")
    shards = [name for name in files if name.endswith(".tar")]
    assert set(files) == {"index.json", "members.npz", *shards}
    assert len(shards) == packed.shards > 5
    assert all(len(files[name]) < 1_400_000 for name in shards)
    assert packed.pictures == COUNT
    assert packed.size == sum(len(files[name]) for name in shards)
    assert not packed.skipped
    assert not packed.already


def test_the_number_of_workers_changes_nothing(root: Path, tmp_path: Path) -> None:
    pack(root, tmp_path / "one", workers=1)
    pack(root, tmp_path / "two", workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_pictures_are_dealt_at_random(root: Path, tmp_path: Path) -> None:
    pack(root, tmp_path / "out")
    shards = opened(tmp_path / "out").shards
    assert (np.diff(shards) != 0).sum() > COUNT / 2  # neighbours by name lie apart


def test_an_interrupted_packing_goes_on(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(root, tmp_path / "whole")
    out = tmp_path / "out"
    written: list[str] = []
    pack_one = shard_writer._pack

    def stopping(task: Any, **options: Any) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(task.file)
        pack_one(task, **options)

    monkeypatch.setattr(shard_writer, "_pack", stopping)
    with pytest.raises(KeyboardInterrupt):
        pack(root, out)
    assert not (out / "index.json").exists()
    with pytest.raises(UserError, match=r"index\.json"):
        opened(out)
    (out / ".shard-00003.tar.abc.part").write_bytes(b"left by a kill")
    first = list(written)
    written[:] = ["none"] * 4
    packed = pack(root, out)
    assert not set(first) & set(written[4:])
    assert len(first) + len(written[4:]) == packed.shards
    assert content(out) == content(tmp_path / "whole")


def test_a_finished_packing_says_so_and_touches_nothing(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = pack(root, out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    again = pack(root, out)
    assert again.already
    assert (again.pictures, again.shards, again.size) == (COUNT, first.shards, first.size)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


@pytest.mark.parametrize("finished", [True, False])
def test_other_options_or_files_are_refused(
    root: Path, tmp_path: Path, finished: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    if not finished:
        monkeypatch.setattr(shard_writer, "_finish", lambda *_: None)
    pack(root, out)
    with pytest.raises(UserError, match=r"megabytes 1 \(now 2\)"):
        pack(root, out, megabytes=2)
    (root / "new.png").write_bytes((root / "00.png").read_bytes())
    with pytest.raises(UserError, match="as they were then"):
        pack(root, out)


def test_other_content_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds other files"):
        pack(root, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_empty_files_are_left_out_counted_and_named(root: Path, tmp_path: Path) -> None:
    (root / "03.png").write_bytes(b"")
    (root / "04.png").unlink()
    (root / "04.png").symlink_to(root / "05.png")
    (root / "06.jpg").write_bytes((root / "06.png").read_bytes())
    (root / "06.png").write_bytes(b"")
    packed = pack(root, tmp_path / "out")
    assert packed.pictures == COUNT - 1
    assert len(packed.skipped) == 2
    lines = (tmp_path / "out" / "skipped.txt").read_text().splitlines()
    assert sorted(lines) == [f"{root / name}\tempty file" for name in ("03.png", "06.png")]
    pictures = opened(tmp_path / "out")
    assert "06.jpg" in pictures.ids  # the id that it has in the folder, beside 06.png
    assert "03" not in pictures.ids


def test_only_a_check_leaves_out_broken_pictures(root: Path, tmp_path: Path) -> None:
    (root / "03.png").write_bytes(b"no picture")
    assert pack(root, tmp_path / "all").pictures == COUNT
    checked = pack(root, tmp_path / "checked", check=True)
    assert checked.pictures == COUNT - 1
    assert "not a picture of a known format" in checked.skipped.summary()


def test_nothing_to_pack_is_an_error(root: Path, tmp_path: Path) -> None:
    for path in root.iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"no picture to pack; 20 pictures could not be read"):
        pack(root, tmp_path / "out")


def test_large_pictures_are_shrunk_and_small_ones_kept(root: Path, tmp_path: Path) -> None:
    small = Image.new("RGB", (100, 80), "red")
    small.save(root / "small.png")
    photo = Image.new("RGB", (900, 1300), "blue")
    photo.save(root / "photo.JPG")
    turned = Image.Exif()
    turned[0x0112] = 6
    photo.save(root / "turned.jpg", exif=turned)
    pack(root, tmp_path / "out", max_side=320)
    pictures = opened(tmp_path / "out")
    by_id = {image_id: pictures.read(index) for index, image_id in enumerate(pictures.ids)}
    assert by_id["small"] == (root / "small.png").read_bytes()
    assert load_image(by_id["00"]).size == (320, 240)
    assert load_image(by_id["photo"]).size == (222, 320)
    assert load_image(by_id["turned"]).size == (320, 222)
    assert pictures.ids == scan_images(root, name="training").images.ids


def test_names_of_any_bytes_survive(root: Path, tmp_path: Path) -> None:
    name = b"latin-\xe9.png"
    path = root / name.decode("utf-8", "surrogateescape")
    path.write_bytes((root / "00.png").read_bytes())
    pack(root, tmp_path / "out")
    pictures = opened(tmp_path / "out")
    images: ImageSet = scan_images(root, name="training").images
    index = images.names.tolist().index(name)
    assert pictures.id(index) == images.id(index) == "latin-%E9"
    assert pictures.read(index) == path.read_bytes()


def test_the_index_says_what_is_there(root: Path, tmp_path: Path) -> None:
    packed = pack(root, tmp_path / "out")
    table = json.loads((tmp_path / "out" / "index.json").read_text())
    assert table["pictures"] == COUNT == sum(shard["pictures"] for shard in table["shards"])
    assert len(table["shards"]) == packed.shards
    assert table["request"]["folder"] == str(root)
