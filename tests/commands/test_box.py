"""Commands without a checkpoint: the model in the box, its calibration, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from sscd import Descriptor
from sscd.cli import main
from sscd.commands.export_threshold import with_threshold
from sscd.evaluation.calibration import write_calibration
from sscd.formats.parquet.files import open_parquet
from sscd.models.loading import load_network
from sscd.models.packages.card import ModelCard
from sscd.models.packages.safetensors_file import write_package
from tests.commands.small import calibration_of, draw_sets, write_checkpoint

SETS = ("queries", "references", "--workers", "0")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets, and a network that carries a calibration."""
    root = draw_sets(tmp_path_factory.mktemp("sets"))
    trained = load_network(write_checkpoint(root / "a.ckpt"))
    known = calibration_of(trained)
    write_calibration(root / "c.json", known)
    trained = with_threshold(trained, known, root / "c.json", whole=trained.network)
    write_package(root / "box.safetensors", trained, ModelCard.of(trained, name="Tiny"))
    return root


@pytest.fixture
def box(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The network in the place of the one that comes with the package; the sets are here."""
    for name in ("queries", "references", "a.ckpt", "c.json"):
        (tmp_path / name).symlink_to(made / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SSCD_MODEL", raising=False)
    place = made / "box.safetensors"
    monkeypatch.setattr("sscd.models.box.model._in_package", lambda: place)
    return place


def test_match_is_as_with_the_checkpoint_and_its_calibration(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", *SETS]) == 0
    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if line.startswith("no --checkpoint")]
    assert "the model in the box is taken, Tiny (resnet18, 16 dimensions)" in line
    assert "copies from score -0.4000 on at 90% precision, among 12 references" in line
    found = Path("matches.csv").read_text()
    given = ("--checkpoint", "a.ckpt", "--calibration", "c.json", "--output", "b.csv")
    assert main(["match", *SETS, *given]) == 0
    assert Path("b.csv").read_text() == found
    assert len(found.splitlines()) > 1
    assert "no --checkpoint" not in capsys.readouterr().out


def test_a_precision_moves_the_threshold(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for precision, expected in (("0.99", -0.1), ("0.9", -0.4), ("0.6", -1)):
        capsys.readouterr()
        assert main(["match", *SETS, "--precision", precision, "--json", "--quiet"]) == 0
        captured = capsys.readouterr()
        assert "no --checkpoint" not in captured.err
        assert json.loads(captured.out)["threshold"] == expected


def test_dedup_and_describe(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("--workers", "0")
    assert main(["dedup", "references", "--precision", "0.5", "--copies", "0.9", *common]) == 0
    assert main(["describe", "queries", "q", *common]) == 0
    assert capsys.readouterr().out.count("no --checkpoint: the model in the box") == 2
    written = open_parquet(Path("q"))
    loaded = Descriptor.load(device="cpu")
    assert written.origin.model == loaded.fingerprint
    pictures = sorted(Path("queries").iterdir())
    np.testing.assert_allclose(loaded.describe(pictures), written.vectors[:], atol=1e-6)


def test_descriptors_that_the_box_made(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("queries", "references"):
        assert main(["describe", name, f"{name[0]}.parts", "--workers", "0"]) == 0
    assert main(["match", "q.parts", "r.parts"]) == 0
    found = Path("matches.csv").read_text()
    assert main(["match", *SETS, "--output", "b.csv"]) == 0
    assert Path("b.csv").read_text() == found


def test_descriptors_that_others_made(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(Path("other.ckpt"), seed=1)
    other = ("--checkpoint", "other.ckpt", "--workers", "0")
    assert main(["describe", "queries", "q.parts", *other]) == 0
    assert main(["match", "q.parts", "q.parts"]) == 2
    err = capsys.readouterr().err
    assert "no threshold: that of the network is for model" in err
    assert "give --threshold SCORE" in err
    rows = np.eye(4, 16, dtype=np.float32)
    _write_without_origin(Path("old.h5"), rows)
    assert main(["match", "old.h5", "old.h5"]) == 2
    assert "do not say which network made them; give --threshold" in capsys.readouterr().err
    assert main(["match", "old.h5", "old.h5", "--threshold", "-0.1"]) == 0


def _write_without_origin(path: Path, rows: np.ndarray) -> None:
    import h5py

    ids = np.array([f"Q{row:05d}".encode() for row in range(len(rows))])
    with h5py.File(path, "w") as file:
        for side, first in (("query", b"Q"), ("reference", b"R")):
            file[side] = rows
            file[f"{side}_ids"] = np.char.replace(ids, b"Q", first)


def test_other_sizes_have_no_threshold(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", *SETS, "--size", "48"]) == 2
    assert "32 square, and the descriptors are of 48 square" in capsys.readouterr().err


def test_a_package_carries_its_calibration(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", *SETS, "--checkpoint", str(box), "--precision", "0.5"]) == 0
    again = ("--checkpoint", str(box), "--output", "again.safetensors")
    assert main(["export", "--model-only", *again]) == 0
    assert load_network(Path("again.safetensors")).calibration == load_network(box).calibration
    assert main(["export", "--model-only", *again[:2], "--size", "48", "--output", "s"]) == 0
    assert load_network(Path("s/box.safetensors")).calibration is None


def test_nothing_in_the_box(box: Path, no_box: None, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["match", *SETS], ["dedup", "queries"], ["describe", "queries", "q"]):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert "this installation has no model in the box; give --checkpoint FILE" in line
    _write_without_origin(Path("old.h5"), np.eye(4, 16, dtype=np.float32))
    assert main(["match", "old.h5", "old.h5"]) == 2
    assert "no threshold: give --threshold" in capsys.readouterr().err
