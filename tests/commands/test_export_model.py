"""`sscd export --model-only`: names, formats, the threshold of the card, and what is refused."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.augment.inference import InferenceSize
from sscd.cli import main
from sscd.data.descriptors import Origin
from sscd.evaluation.calibration import Calibration, write_calibration
from sscd.evaluation.thresholds import OperatingPoints
from sscd.models.checkpoint import read_checkpoint
from sscd.models.describer import origin_of
from sscd.models.fingerprint import network_fingerprint
from sscd.models.loading import load_network
from sscd.models.packages.safetensors_file import read_package
from sscd.search.options import Metric
from tests.commands.small import draw_sets, write_checkpoint
from tests.conftest import Runner
from tests.models.published.files import MIXUP_TORCHVISION, random_weights


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a checkpoint, in the current directory."""
    (tmp_path / "runs" / "tiny" / "checkpoints").mkdir(parents=True)
    write_checkpoint(tmp_path / "runs" / "tiny" / "checkpoints" / "best.ckpt")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs" / "tiny"


CHECKPOINT = "runs/tiny/checkpoints/best.ckpt"


def export(*more: str, checkpoint: str = CHECKPOINT) -> int:
    return main(["export", "--model-only", "--checkpoint", checkpoint, *more])


def calibration_of(
    checkpoint: Path, *, score: float = -0.5, metric: Metric | None = "l2", **origin: str
) -> Calibration:
    """90 % precision at `score`, with enough wrong pairs to rest on."""
    trained = load_network(checkpoint)
    own = origin_of(trained.network, trained.inference)
    points = OperatingPoints((score,), (180,), (20,), true_pairs=200)
    return Calibration(points, 300, 1000, replace(own, **origin), metric, "the best pairs")


def card_of(folder: Path, name: str = "tiny") -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / f"{name}.card.json").read_text())
    return card


def test_all_formats_to_a_directory(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    formats = ("--format", "safetensors", "onnx", "torch_export")
    assert export("--output", "out", *formats, "--json", "--licence", "CC0") == 0
    printed = json.loads(capsys.readouterr().out)
    names = [f"tiny.{end}" for end in ("card.json", "card.md", "onnx", "pt2", "safetensors")]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    assert [file["format"] for file in printed["files"]] == list(formats[1:])
    for file in printed["files"]:
        assert Path(file["path"]).stat().st_size == file["bytes"]
        assert file["difference"] is None or file["difference"] <= 1e-4
    card = card_of(Path("out"))
    assert card["fingerprint"] == printed["fingerprint"]
    assert card["licence"] == "CC0"
    assert card["recipe"] == {"views": {"name": "advanced"}}
    assert "# tiny" in Path("out/tiny.card.md").read_text()


def test_the_name_of_the_output_says_the_format(run: Path) -> None:
    assert export("--output", "a.b.pt2", "--size", "64") == 0
    assert sorted(path.name for path in Path().glob("a.b.*")) == [
        "a.b.card.json",
        "a.b.card.md",
        "a.b.pt2",
    ]
    assert card_of(Path(), "a.b")["preprocessing"]["size"] == 64


def test_a_package_stands_for_its_checkpoint_everywhere(run: Path) -> None:
    draw_sets(run)
    assert export("--output", "a.safetensors", "--size", "48", "--resize", "short_side") == 0
    assert read_package(Path("a.safetensors")).inference == InferenceSize(48, "short_side")
    sets = ("--queries", str(run / "queries"), "--references", str(run / "references"))
    common = ("--output", "t.h5", "--workers", "0", "--device", "cpu")
    assert main(["export", "--checkpoint", "a.safetensors", *sets, *common]) == 0
    assert export("--output", "again", checkpoint="a.safetensors") == 0
    assert card_of(Path("again"), "a") == card_of(Path(), "a")


def test_the_threshold_is_the_runs_own(run: Path) -> None:
    write_calibration(run / "calibration.json", calibration_of(Path(CHECKPOINT)))
    assert export("--output", "out") == 0
    threshold = card_of(Path("out"))["threshold"]
    assert (threshold["similarity"], threshold["recall"]) == (0.75, 0.9)
    assert (threshold["precision"], threshold["references"]) == (0.9, 1000)
    assert threshold["preprocessing"] == "32 square"
    assert threshold["source"] == "calibration.json: 300 queries, the best pairs"
    package = read_package(Path("out/tiny.safetensors"))
    assert package.threshold is not None
    assert package.threshold.similarity == 0.75


def test_inner_products_are_cosines(run: Path) -> None:
    calibration = calibration_of(Path(CHECKPOINT), score=0.8, metric="inner_product")
    write_calibration(Path("c.json"), calibration)
    assert export("--output", "out", "--calibration", "c.json") == 0
    assert card_of(Path("out"))["threshold"]["similarity"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "0123456789abcdef"}, "differ in model"),
        ({"preprocessing": "99 square"}, "differ in preprocessing"),
        ({"postprocessing": "abc"}, "differ in postprocessing"),
        ({"metric": None}, "does not say how descriptors were compared"),
    ],
)
def test_a_calibration_of_something_else(
    run: Path, change: dict[str, Any], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    calibration = calibration_of(Path(CHECKPOINT), **change)
    write_calibration(Path("c.json"), calibration)
    assert export("--output", "out", "--calibration", "c.json") == 2
    assert expected in capsys.readouterr().err
    assert not list(Path("out").glob("*"))
    write_calibration(run / "calibration.json", calibration)
    assert export("--output", "out") == 0, "one that nobody asked for is passed over"
    captured = capsys.readouterr()
    assert "was not used" in captured.err
    assert card_of(Path("out"))["threshold"] is None


def test_a_calibration_that_does_not_say_of_what_is_warned_of(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibration = replace(calibration_of(Path(CHECKPOINT)), origin=Origin())
    write_calibration(Path("c.json"), calibration)
    assert export("--output", "out", "--calibration", "c.json") == 0
    assert "do not say which model made them" in capsys.readouterr().err


def test_a_threshold_does_not_outlive_its_size(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_calibration(Path("c.json"), calibration_of(Path(CHECKPOINT)))
    assert export("--output", "a.safetensors", "--calibration", "c.json") == 0
    assert export("--output", "b.safetensors", "--size", "64", checkpoint="a.safetensors") == 0
    assert "the card names none" in capsys.readouterr().err
    assert card_of(Path(), "a")["threshold"] is not None
    assert card_of(Path(), "b")["threshold"] is None


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--output", "o", "--queries", "q", "--stretch", "1[0]"), "--queries, --stretch: --model"),
        (("--output", "o", "--format", "bla"), "format"),
        (("--output", "a.onnx", "--format", "safetensors"), "is of format onnx"),
        (("--output", "a.onnx", "--format", "onnx", "safetensors"), "give a directory"),
        (("--output", "a.pt"), "no format ends in .pt"),
        (("--output", CHECKPOINT), "is a file; give a directory"),
        (("--output", "o", "--size", "3"), "--size 3 is too small"),
        (("--output", "o", "--calibration", "none.json"), "none.json"),
        (("--output", "o", "--checkpoint", "none.ckpt"), "none.ckpt does not exist"),
    ],
)
def test_refused_in_one_line(
    run: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], expected: str
) -> None:
    assert export(*more) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("sscd: error: ")
    assert expected in line
    assert not list(Path("o").glob("*"))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--format", "onnx"), "--format: only with --model-only"),
        (("--queries", "q"), "--references is missing"),
        ((), "--queries is missing"),
    ],
)
def test_descriptors_need_both_sets(
    run: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], expected: str
) -> None:
    assert main(["export", "--checkpoint", CHECKPOINT, "--output", "t.h5", *more]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.slow
def test_from_training_to_the_card(run_script: Runner, tmp_path: Path) -> None:
    tiny = (
        *("--data.procedural.size", "32", "--data.procedural.training", "24"),
        *("--data.procedural.references", "12", "--data.procedural.copies", "6"),
        *("--data.procedural.distractors", "4", "--data.image_size", "32"),
        *("--data.inference.size", "32", "--data.batch_size", "8", "--data.workers", "0"),
        *("--trainer.max_epochs", "1", "--compare", "false", "--export", "false"),
    )
    trained = run_script("train.py", *tiny)
    assert trained.returncode == 0, trained.stderr
    checkpoint = "runs/quickstart/checkpoints/last.ckpt"
    done = run_script("export.py", "--model-only", "--checkpoint", checkpoint, "--output", "out")
    assert done.returncode == 0, done.stderr
    card = card_of(tmp_path / "out", "quickstart")
    with (tmp_path / "runs/quickstart/metrics.csv").open(newline="") as file:
        (logged,) = (row["val/micro_ap"] for row in csv.DictReader(file) if row["val/micro_ap"])
    figures = card["figures"]
    assert figures["micro_ap"] == pytest.approx(float(logged), abs=1e-6)
    assert (figures["queries"], figures["references"], figures["step"]) == (10, 12, 3)
    assert figures["protocol"] == "10 neighbours a query"
    assert (figures["data"], figures["preprocessing"]) == ("procedural", "32 square")
    assert (card["recipe"]["epochs"], card["recipe"]["steps"]) == (1, 3)
    data = card["recipe"]["training_data"]
    assert (data["name"], data["pictures"], len(data["names_digest"])) == ("procedural", 24, 16)
    expected = None if figures["threshold_at_p90"] is None else figures["threshold_at_p90"]
    assert (card["threshold"] or {}).get("score") == expected


def test_published_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(random_weights(MIXUP_TORCHVISION), MIXUP_TORCHVISION)
    assert export("--output", "out", checkpoint=MIXUP_TORCHVISION) == 0
    card = card_of(Path("out"), "sscd_disc_mixup")
    published = load_network(Path(MIXUP_TORCHVISION))
    packed = load_network(Path("out/sscd_disc_mixup.safetensors"))
    assert card["network"]["dims"] == 512
    assert card["licence"] == (published.licence or "not stated")
    assert card["recipe"] == dict(published.recipe)
    assert packed.threshold == published.threshold
    assert packed.inference == published.inference
    assert network_fingerprint(packed.network) == network_fingerprint(published.network)


@pytest.mark.slow
def test_published_weights_as_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(random_weights(MIXUP_TORCHVISION), "a.pt")
    formats = ("--format", "onnx", "torch_export")
    assert export("--output", "out", *formats, checkpoint="a.pt") == 0
    page = Path("out/a.card.md").read_text()
    assert page.count("pictures of any size; within") == 2


def test_a_network_that_sees_otherwise(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    carries = read_checkpoint(Path(CHECKPOINT))
    carries["sscd"]["figures"] = {"threshold_at_p90": -0.5, "micro_ap": 0.5}
    torch.save(carries, CHECKPOINT)
    assert load_network(Path(CHECKPOINT)).threshold is not None
    options = ("--scales", "1", "1.5", "--mirror", "--gem-p", "4")
    assert export("--output", "out/a.safetensors", *options) == 0
    assert "figures and threshold are of its own scales" in capsys.readouterr().err
    packed = load_network(Path("out/a.safetensors"))
    config = packed.network.config
    assert (config.scales, config.mirror, config.gem_p_inference) == ((1.0, 1.5), True, 4.0)
    assert (packed.threshold, packed.figures) == (None, {})
    page = Path("out/a.card.md").read_text()
    assert "| pictures are seen | scales 1 and 1.5, mirrored too, GeM p 4 |" in page
    assert export("--output", "out/b.safetensors", "--scales", "0") == 2
    assert "--scales got [0.0]; expected different numbers" in capsys.readouterr().err
