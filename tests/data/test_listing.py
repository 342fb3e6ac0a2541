import os
from pathlib import Path

import pytest

from sscd.data import listing
from sscd.data.listing import no_pictures, scan_images
from sscd.errors import UserError


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_pictures_are_found_recursively_and_sorted(tmp_path: Path) -> None:
    _touch(tmp_path, "b.JPG", "sub/deep/a.png", "sub/c.jpeg", "a.webp", "sub-x.tif")
    images = scan_images(tmp_path, name="photos").images
    assert images.names.tolist() == [
        b"a.webp",
        b"b.JPG",
        b"sub-x.tif",
        b"sub/c.jpeg",
        b"sub/deep/a.png",
    ]
    assert images.name == "photos"
    assert images.path(4) == tmp_path / "sub/deep/a.png"


def test_other_files_are_counted_and_said(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "b.txt", "c/d.TXT", "README", ".DS_Store", ".thumbs/t.jpg", "m.mp4")
    found = scan_images(tmp_path, name="photos")
    assert found.other == {".txt": 2, ".mp4": 1, "without extension": 1, "hidden": 2}
    (line,) = found.left_out
    assert "6 entries" in line
    assert "2 .txt" in line
    assert str(tmp_path) in line


def test_nothing_left_out_is_no_line(tmp_path: Path) -> None:
    _touch(tmp_path, "a.bmp", "b.gif", "c.tiff", "d.avif")
    found = scan_images(tmp_path, name="photos")
    assert len(found.images) == 4
    assert found.left_out == ()


def test_heic_is_looked_for_where_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "a.jpg", "b.heic", "c.HEIF")
    monkeypatch.setattr(listing, "heif_available", lambda: False)
    assert scan_images(tmp_path, name="p").other == {".heic": 1, ".heif": 1}
    assert "sscd[heic]" in no_pictures(tmp_path)
    monkeypatch.setattr(listing, "heif_available", lambda: True)
    assert len(scan_images(tmp_path, name="p").images) == 3
    assert "sscd[heic]" not in no_pictures(tmp_path)


def test_links_to_files_are_followed_and_links_to_directories_not(tmp_path: Path) -> None:
    _touch(tmp_path, "elsewhere/a.jpg", "root/own.jpg")
    root = tmp_path / "root"
    (root / "linked.jpg").symlink_to(tmp_path / "elsewhere/a.jpg")
    (root / "loop").symlink_to(root)
    (root / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    os.mkfifo(root / "pipe.jpg")
    found = scan_images(root, name="p")
    assert found.images.names.tolist() == [b"linked.jpg", b"own.jpg"]
    assert found.other == {"linked directories": 1, "broken links": 1, "special files": 1}


@pytest.mark.parametrize("kind", ["missing", "empty", "file", "texts only"])
def test_a_directory_without_pictures_is_one_line_that_helps(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "photos"
    if kind == "file":
        root.write_bytes(b"x")
    elif kind != "missing":
        root.mkdir()
    if kind == "texts only":
        _touch(root, "a.txt", "b.txt")
    with pytest.raises(UserError) as caught:
        scan_images(root, name="p")
    message = str(caught.value)
    assert str(root) in message
    assert "\n" not in message
    if kind in ("empty", "texts only"):
        assert "jpg jpeg png webp bmp gif tif tiff avif" in message
        assert ("2 .txt" in message) == (kind == "texts only")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every directory")
def test_an_unreadable_directory_inside_is_an_error(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "locked/b.jpg")
    (tmp_path / "locked").chmod(0)
    try:
        with pytest.raises(UserError, match="locked"):
            scan_images(tmp_path, name="p")
    finally:
        (tmp_path / "locked").chmod(0o700)
