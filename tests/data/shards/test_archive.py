"""What becomes of each picture that is packed: its bytes, its name, its digest, its absence."""

import hashlib
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.data.decode import load_image
from sscd.data.listing import scan_images
from sscd.data.records import ImageSet
from tests.data.shards.packing import COUNT, opened, pack, write_noise


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_noise(tmp_path / "folder")
    return tmp_path / "folder"


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


def test_shrunk_pictures_lose_none_of_their_names(root: Path, tmp_path: Path) -> None:
    for name in ("a.png.jpg", "a.png.2.jpg", "A.jpg"):
        Image.new("RGB", (40, 30), "red").save(root / name)
    for name in ("a.png", "b.png"):
        Image.new("RGB", (400, 300), "blue").save(root / name)
    packed = pack(root, tmp_path / "out", max_side=64)
    for shard in (tmp_path / "out").glob("*.tar"):
        with tarfile.open(shard) as tar:
            tar.extractall(tmp_path / "again", filter="data")
    again = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert len(again) == packed.pictures == COUNT + 5
    assert {"a.png.jpg", "a.png.2.jpg", "a.png.3.jpg", "b.png.jpg"} <= set(again)
    assert (tmp_path / "again" / "a.png.jpg").read_bytes() == (root / "a.png.jpg").read_bytes()
    pictures = opened(tmp_path / "out")
    assert pictures.names.tolist() == sorted(os.fsencode(path.name) for path in root.iterdir())


@pytest.mark.parametrize("max_side", [None, 64])
def test_digests_are_those_of_the_files_before_they_are_shrunk(
    root: Path, tmp_path: Path, max_side: int | None
) -> None:
    (root / "twin.png").write_bytes((root / "07.png").read_bytes())
    pack(root, tmp_path / "out", max_side=max_side)
    pictures = opened(tmp_path / "out")
    expected = [
        hashlib.blake2b((root / os.fsdecode(name)).read_bytes(), digest_size=8).digest()
        for name in pictures.names.tolist()
    ]
    assert pictures.digests.dtype == np.uint64
    assert [int(n).to_bytes(8, "little") for n in pictures.digests] == expected
    assert len(set(expected)) == COUNT
    assert pictures.subset([5, 2]).digests.tolist() == pictures.digests[[5, 2]].tolist()


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
