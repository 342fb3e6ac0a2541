"""`sscd export --model-only` with a projection learnt on pictures, and with float16 weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sscd import Descriptor
from sscd.cli import main
from sscd.evaluation.calibration import write_calibration
from sscd.formats.track2.hdf5_file import read_track2
from sscd.models.loading import load_network
from tests.commands.small import calibration_of, draw_sets, write_checkpoint

SETS = ("--queries", "queries", "--references", "references", "--workers", "0")


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw_sets(tmp_path)
    write_checkpoint(tmp_path / "a.ckpt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def package(*more: str, checkpoint: str = "a.ckpt") -> int:
    given = ("--checkpoint", checkpoint, "--workers", "0")
    return main(["export", "--model-only", *given, "--output", "p.safetensors", *more])


def card() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("p.card.json").read_text())
    return found


def test_it_describes_as_post_processing_does(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt = ("--training", "training", "--dims", "9")
    assert package(*learnt) == 0
    assert main(["export", "--checkpoint", "a.ckpt", *SETS, *learnt, "--output", "t.h5"]) == 0
    assert main(["export", "--checkpoint", "p.safetensors", *SETS, "--output", "u.h5"]) == 0
    expected, found = read_track2(Path("t.h5")), read_track2(Path("u.h5"))
    assert found.queries.shape == (8, 9)
    np.testing.assert_allclose(found.queries, expected.queries, atol=1e-4)
    np.testing.assert_allclose(found.references, expected.references, atol=1e-4)
    assert Descriptor.load("p.safetensors").dims == 9
    facts = {"kind": "whiten", "from_dims": 16, "dims": 9, "pictures": 24, "data": "training"}
    assert card()["projection"] == facts
    assert not Path("p.descriptors").exists()


def test_files_of_the_name_of_its_own_are_kept(sets: Path) -> None:
    mine = ["describe", "training", "p.descriptors", "--checkpoint", "a.ckpt", "--workers", "0"]
    assert main(mine) == 0
    before = sorted(Path("p.descriptors").iterdir())
    assert package("--training", "p.descriptors", "--dims", "3") == 0
    assert sorted(Path("p.descriptors").iterdir()) == before


def test_descriptors_of_training_pictures_will_do(sets: Path) -> None:
    assert main(["describe", "training", "d", "--checkpoint", "a.ckpt", "--workers", "0"]) == 0
    assert package("--training", "d", "--projection", "pca", "--dims", "3") == 0
    of_descriptors = load_network(Path("p.safetensors")).network.projection
    assert package("--training", "training", "--projection", "pca", "--dims", "3") == 0
    of_pictures = load_network(Path("p.safetensors")).network.projection
    assert of_descriptors is not None
    assert of_pictures is not None
    np.testing.assert_allclose(of_descriptors.matrix, of_pictures.matrix, atol=1e-5)


def test_half_the_bytes_and_a_calibration_of_its_own(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The way of the model in the box: pack, calibrate, pack again."""
    half = ("--weights", "float16")
    assert package("--training", "training", "--dims", "9", *half) == 0
    assert Path("p.safetensors").stat().st_size < 24_000_000
    assert "is left out" not in capsys.readouterr().out
    first = load_network(Path("p.safetensors"))
    assert (first.threshold, first.calibration) == (None, None)
    write_calibration(Path("c.json"), calibration_of(first))
    Path("p.safetensors").rename("q.safetensors")
    again = ("--calibration", "c.json", "--name", "Boxed", *half)
    assert package(*again, checkpoint="q.safetensors") == 0
    second = load_network(Path("p.safetensors"))
    assert (second.name, second.projection) == ("Boxed", first.projection)
    assert second.calibration is not None
    assert card()["weights"] == "float16"
    assert card()["fingerprint"] == second.calibration["origin"]["model"]
    assert second.threshold is not None
    assert second.stricter is not None
    assert (second.threshold.score, second.stricter.score) == (-0.4, -0.1)
    page = Path("p.card.md").read_text()
    assert "weights in float16, for this package" in page
    assert "At 99% precision" in page


def test_a_calibration_of_before_rounding_holds(sets: Path) -> None:
    write_calibration(Path("c.json"), calibration_of(load_network(Path("a.ckpt"))))
    assert package("--weights", "float16", "--calibration", "c.json") == 0
    found = load_network(Path("p.safetensors"))
    assert found.calibration is not None
    assert found.calibration["origin"]["model"] == card()["fingerprint"]
    whole, half = Descriptor.load("a.ckpt"), Descriptor.load("p.safetensors")
    pictures = sorted(Path("references").iterdir())
    cosines = (whole.describe(pictures) * half.describe(pictures)).sum(axis=1)
    assert cosines.min() > 0.9999


def test_a_threshold_of_before_the_projection_is_left_out(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_calibration(Path("c.json"), calibration_of(load_network(Path("a.ckpt"))))
    assert package("--calibration", "c.json") == 0
    Path("p.safetensors").rename("q.safetensors")
    capsys.readouterr()
    learnt = ("--training", "training", "--dims", "4")
    assert package(*learnt, checkpoint="q.safetensors") == 0
    assert "before the projection: it is left out" in capsys.readouterr().out
    assert card()["threshold"] is None
    assert package(*learnt, "--calibration", "c.json", checkpoint="q.safetensors") == 2
    assert "the calibration and the network differ in model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--training", "queries"), "needs 17 training pictures; queries has 8"),
        (("--training", "training", "--projection", "none"), "leave it or --projection none out"),
        (("--projection", "pca"), "give --training"),
        (("--dims", "3"), "--dims 3: dimensions are reduced by PCA"),
        (("--training", "training", "--dims", "99"), "--dims 99 is out of range"),
        (("--training", "nothing", "--dims", "3"), "nothing"),
        (("--weights", "float8"), "weights"),
    ],
)
def test_refused_in_one_line(
    sets: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], expected: str
) -> None:
    assert package(*more) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert expected in line
    assert not Path("p.safetensors").exists()


def test_a_second_projection_is_refused(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learnt = ("--training", "training", "--dims", "4")
    assert package(*learnt) == 0
    Path("p.safetensors").rename("q.safetensors")
    assert package(*learnt, checkpoint="q.safetensors") == 2
    assert "q.safetensors has a projection already; give the" in capsys.readouterr().err


def test_weights_of_half_the_bytes_are_of_safetensors(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = ("--weights", "float16", "--checkpoint", "a.ckpt")
    assert main(["export", "--model-only", *half, "--output", "p.onnx"]) == 2
    assert "--weights float16 is of the format safetensors" in capsys.readouterr().err
    assert main(["export", *SETS, *half, "--output", "t.h5"]) == 2
    assert "--weights: only with --model-only" in capsys.readouterr().err
