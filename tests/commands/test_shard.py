"""`sscd shard` from the outside."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.cli import main
from sscd.commands.shard import shard
from sscd.data.decode import load_image
from sscd.data.shards.pictures import ShardedPictures
from sscd.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "deep").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(6):
        noise = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / "deep" / f"{index}.png")
    (root / "empty.jpg").touch()
    (root / "notes.txt").touch()
    return root


def test_it_packs_and_says_what_it_left_out(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    line = ["shard", str(folder), str(out), "--workers", "1"]
    assert main(line) == 0
    captured = capsys.readouterr()
    assert "6 pictures in 1 shard" in captured.out
    assert "1 .txt" in captured.err
    assert f"1 picture could not be read: {folder / 'empty.jpg'} (empty file)" in captured.err
    assert len(ShardedPictures.open(str(out), cache=tmp_path)) == 6
    assert main(line) == 0
    assert "finished before" in capsys.readouterr().out


def test_the_command_line_reaches_it(folder: Path, tmp_path: Path) -> None:
    line = ["shard", str(folder), str(tmp_path / "out"), "--check", "true", "--max_side", "16"]
    assert main([*line, "--workers", "1"]) == 0
    pictures = ShardedPictures.open(str(tmp_path / "out"), cache=tmp_path)
    assert load_image(pictures.read(0)).size == (16, 16)
    assert pictures.index.request["check"] is True


@pytest.mark.parametrize("wrong", [{"megabytes": 0}, {"max_side": 8}, {"workers": -1}])
def test_numbers_out_of_range_are_refused(
    folder: Path, tmp_path: Path, wrong: dict[str, int]
) -> None:
    with pytest.raises(UserError, match="give at least"):
        shard(folder, tmp_path / "out", **wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_nothing_to_pack_is_said_in_one_line_that_names_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.jpg").touch()
    line = ["shard", str(tmp_path / "folder"), str(tmp_path / "out"), "--workers", "0"]
    assert main(line) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("sscd: error: ")
    assert f"1 picture could not be read: {tmp_path / 'folder' / 'a.jpg'} (empty file)" in last
    (tmp_path / "folder" / "a.jpg").write_bytes(b"something")
    assert main([*line, "--megabytes", "1"]) == 0


def test_shards_do_not_go_into_the_folder(folder: Path) -> None:
    with pytest.raises(UserError, match=r"deep/out lies in .*folder, which it packs"):
        shard(folder, folder / "deep" / "out", workers=1)
    assert not (folder / "deep" / "out").exists()
