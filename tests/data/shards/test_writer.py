"""Packing: what is written, and going on after an interruption."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sscd.data.shards import writer
from sscd.data.shards.archive import write_shard
from sscd.errors import UserError
from tests.data.shards.packing import COUNT, opened, pack, write_noise


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_noise(tmp_path / "folder")
    return tmp_path / "folder"


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


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
    pack_one = write_shard

    def stopping(task: Any, **options: Any) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(task.file)
        pack_one(task, **options)

    monkeypatch.setattr(writer, "write_shard", stopping)
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
        monkeypatch.setattr(writer, "_finish", lambda *_: None)
    pack(root, out)
    with pytest.raises(UserError, match=r"megabytes 1 \(now 2\)"):
        pack(root, out, megabytes=2)
    (root / "new.png").write_bytes((root / "00.png").read_bytes())
    with pytest.raises(UserError, match="files of other names or sizes"):
        pack(root, out)


def test_other_content_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds other files"):
        pack(root, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_nothing_to_pack_is_an_error_and_blocks_nothing(root: Path, tmp_path: Path) -> None:
    for path in root.iterdir():
        path.write_bytes(b"not a picture")
    with pytest.raises(UserError, match=r"no picture to pack.*; 20 pictures") as caught:
        pack(root, tmp_path / "out", check=True)
    assert f"{root}/" in str(caught.value)
    assert "no file" not in str(caught.value)
    assert ".txt" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []
    assert pack(root, tmp_path / "out", megabytes=2).pictures == COUNT


def test_an_output_without_its_members_is_to_be_removed(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pack(root, out)
    (out / "members.npz").unlink()
    with pytest.raises(UserError, match=rf"members\.npz.*remove {out} and pack again"):
        pack(root, out)


def test_an_older_packing_is_to_be_removed(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pack(root, out)
    table = json.loads((out / "index.json").read_text())
    (out / "index.json").write_text(json.dumps(table | {"version": 1}))
    with pytest.raises(UserError, match=rf"version 1.*remove {out} and pack again") as caught:
        pack(root, out)
    assert "\n" not in str(caught.value)


def test_an_older_packing_that_was_interrupted_is_to_be_removed(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "out" / ".packing"
    work.mkdir(parents=True)
    (work / "request.json").write_text(json.dumps({"folder": "somewhere", "megabytes": 1}))
    with pytest.raises(UserError, match=r"version None \(now 2\); remove it"):
        pack(root, tmp_path / "out")


@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_that_was_moved_or_copied_is_the_same(
    root: Path, tmp_path: Path, finished: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, moved = tmp_path / "out", tmp_path / "elsewhere" / "moved"
    with monkeypatch.context() as patched:
        if not finished:
            patched.setattr(writer, "_finish", lambda *_: None)
        pack(root, out)
    shutil.copytree(root, moved, copy_function=shutil.copyfile)  # with times of today
    os.utime(moved / "00.png", (1, 1))
    shutil.rmtree(root)
    packed = pack(moved, out)
    assert (packed.pictures, packed.already) == (COUNT, finished)
    (moved / "00.png").rename(moved / "first.png")
    with pytest.raises(UserError, match="other names or sizes"):
        pack(moved, out)


def test_the_index_says_what_is_there(root: Path, tmp_path: Path) -> None:
    packed = pack(root, tmp_path / "out")
    table = json.loads((tmp_path / "out" / "index.json").read_text())
    assert table["pictures"] == COUNT == sum(shard["pictures"] for shard in table["shards"])
    assert len(table["shards"]) == packed.shards
    assert set(table["request"]) == {"version", "files", "megabytes", "max_side", "check"}
    assert str(root) not in json.dumps(table)
