"""`sscd describe` as a user runs it: stopped in every way, repeated, by several processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sscd.cli import main
from sscd.formats.parquet.files import open_parquet
from sscd.models.fingerprint import network_fingerprint
from sscd.models.loading import load_network
from tests.conftest import REPOSITORY
from tests.data.noise import noise, write_pictures
from tests.describing.sets import check_same, files
from tests.models.networks import write_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "a.ckpt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "photos", 22)
    (tmp_path / "photos" / "05.png").write_bytes(b"broken")
    (tmp_path / "photos" / "notes.txt").write_text("x")
    return tmp_path / "photos"


def arguments(source: Path, out: Path, *more: str) -> list[str]:
    fixed = ("--batch_size", "4", "--workers", "0", "--device", "cpu", "--partition", "4")
    checkpoint = source.parent / "a.ckpt"
    return ["describe", str(source), str(out), "--checkpoint", str(checkpoint), *fixed, *more]


def start(command: Sequence[str], **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "sscd", *command],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "300"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_folder(folder: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "out"
    assert main(arguments(folder, out)) == 0
    printed = capsys.readouterr()
    model = network_fingerprint(load_network(checkpoint).network)
    assert printed.out == f"{out}: 21 descriptors of 8 dimensions in 6 parts, model {model}\n"
    assert "1 entry is no picture to read (1 .txt)" in printed.err
    assert f"05.png (not a picture of a known format); all in {out}/unreadable.tsv" in printed.err
    described = open_parquet(out)
    assert described.ids == [f"{index:02d}" for index in range(22) if index != 5]
    assert described.origin.model == model
    assert described.origin.preprocessing == "32 short_side"

    before = files(out)
    assert main(arguments(folder, out)) == 0
    assert "out is complete already; nothing was done" in capsys.readouterr().out
    assert files(out) == before


def test_the_result_as_json(
    folder: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, folder.parent / "out", "--json", "--size", "24")) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["output"] == str(folder.parent / "out")
    assert table["preprocessing"] == "24 short_side"
    expected = {"kind": "folder", "pictures": 22, "described": 21, "unreadable": 1, "dims": 8}
    assert {key: table[key] for key in expected} == expected
    assert (table["partitions"], table["partitions_made"]) == (6, 6)


def test_sources_of_one_set_give_one_result(folder: Path, checkpoint: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    root = folder.parent
    (root / "list").write_text("".join(f"photos/{index:02d}.png\n" for index in range(22)))
    pictures = [path.read_bytes() for path in sorted(folder.glob("*.png"))]
    table = pa.table({"image": pictures, "id": [f"{index:02d}" for index in range(22)]})
    parquet.write_table(table, root / "table.parquet")
    assert main(["shard", str(folder), str(root / "shards"), "--workers", "0"]) == 0
    results = {}
    for name in ("photos", "list", "table.parquet", "shards"):
        assert main(arguments(root / name, root / f"{name}.out")) == 0
        described = open_parquet(root / f"{name}.out")
        ids = [item.removeprefix("photos/") for item in described.ids]
        results[name] = dict(zip(ids, np.asarray(described.vectors), strict=True))
    assert len(results["photos"]) == 21
    for result in results.values():
        assert sorted(result) == sorted(results["photos"])
        for key, vector in result.items():
            np.testing.assert_allclose(vector, results["photos"][key], atol=1e-6)


@pytest.fixture
def slow_folder(tmp_path: Path) -> Path:
    """Pictures that take a while to decode, so that there is time to stop."""
    root = tmp_path / "photos"
    root.mkdir()
    for index in range(40):
        (root / f"{index:02d}.png").write_bytes(noise(index, size=(500, 400)))
    return root


def parts_of(out: Path) -> set[str]:
    return {path.name for path in out.glob("part-*.parquet")}


def stop_amid(process: "subprocess.Popen[str]", out: Path, how: signal.Signals) -> str:
    """Stop a process after its second part; returns what it said."""
    deadline = time.monotonic() + 120
    while process.poll() is None and len(parts_of(out)) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(how)
    return process.communicate(timeout=60)[1]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_stopped_and_repeated(how: signal.Signals, slow_folder: Path, checkpoint: Path) -> None:
    whole, out = slow_folder.parent / "whole", slow_folder.parent / "out"
    errors = stop_amid(start(arguments(slow_folder, out)), out, how)
    early = {name: (out / name).read_bytes() for name in parts_of(out)}
    assert 2 <= len(early) < 10, errors
    if how is signal.SIGINT:
        assert "interrupted; the same command goes on where it stopped" in errors
        assert "Traceback" not in errors
    with pytest.raises(Exception, match=rf"{10 - len(early)} of 10 partitions are missing"):
        open_parquet(out)
    with start(arguments(slow_folder, out)) as process:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert {name: (out / name).read_bytes() for name in early} == early
    with start(arguments(slow_folder, whole)) as process:
        process.communicate(timeout=120)
    check_same(open_parquet(out), open_parquet(whole))
    assert files(out) == files(whole), "nothing half written stays"


@pytest.mark.slow
def test_two_ranks_as_torchrun_starts_them(folder: Path, checkpoint: Path) -> None:
    alone, together = folder.parent / "alone", folder.parent / "together"
    assert main(arguments(folder, alone)) == 0
    ranks = [
        start(arguments(folder, together), RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2")
        for rank in range(2)
    ]
    said = [process.communicate(timeout=120) for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0], said
    assert "21 descriptors" in said[0][0]
    assert said[1][0] == ""
    check_same(open_parquet(together), open_parquet(alone), bits=False)
    assert sorted(files(together)) == sorted(files(alone))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--batch_size", "0"), "--batch_size 0"),
        (("--size", "4"), "--size 4"),
        (("--partition", "0"), "--partition 0"),
        (("--processes", "0"), "--processes 0"),
        (("--cache_gb", "0"), "--cache_gb 0"),
        (("--engine", "spark"), "engine"),
        (("--actors", "2"), "are of --engine ray; add it"),
        (("--engine", "ray", "--processes", "2"), "with --engine ray give --actors"),
        (("--engine", "ray", "--actors", "0"), "--actors and --cpus_per_actor begin at 1"),
        (("--engine", "ray", "--gpus_per_actor", "-1"), "--gpus_per_actor at 0"),
        (("--checkpoint", "absent.ckpt"), "absent.ckpt does not exist"),
    ],
)
def test_wrong_arguments(
    more: tuple[str, ...],
    expected: str,
    folder: Path,
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*arguments(folder, folder.parent / "out"), *more]) == 2
    assert expected in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (folder.parent / "out").exists()


def test_another_request_is_refused(
    folder: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    assert main(arguments(folder, out)) == 0
    capsys.readouterr()
    others = (("--partition", "5"), ("--size", "40"), ("--resize", "square"))
    for more in (*others, ("--scales", "1", "1.5", "--mirror", "--gem-p", "4")):
        assert main([*arguments(folder, out), *more]) == 2
        assert "was begun with another request" in capsys.readouterr().err
    write_checkpoint(checkpoint, seed=1)
    assert main(arguments(folder, out)) == 2
    assert "another request (the model was" in capsys.readouterr().err


def test_without_ray(
    folder: Path,
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(arguments(folder, folder.parent / "out", "--engine", "ray")) == 2
    [line] = capsys.readouterr().err.strip().splitlines()[-1:]
    assert 'pip install "sscd[ray]", or use --engine local' in line
