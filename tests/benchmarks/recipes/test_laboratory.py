"""The laboratory from photographs to the table, as small as it goes."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.recipes.__main__ import main
from sscd.data.procedural import draw_picture

PUBLISHED = """about: the base
train:
  data: {image_size: 32, batch_size: 8, max_training: 32, workers: 0,
    inference: {size: 32, mode: square}}
  model:
    network: {backbone: resnet18, dims: 4}
    optimizer: {name: adamw, lr: 0.001, reference_batch: null, warmup_epochs: 0}
  trainer: {max_epochs: 1, enable_model_summary: false}
"""
LARGER = "about: larger\nbased_on: published\ndescribe: {size: 48}\n"
COSTLY = "about: costly\nbased_on: published\ntrain: {trainer: {max_epochs: 4}}\n"
WRONG = "about: wrong\nbased_on: published\ntrain: {model: {objectif: 3}}\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("laboratory")
    (root / "photos").mkdir()
    for index in range(140):
        draw_picture(seed=3, index=index, size=64).save(root / "photos" / f"P{index:03d}.jpg")
    texts = {"published": PUBLISHED, "larger": LARGER, "costly": COSTLY, "wrong": WRONG}
    for name, text in texts.items():
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")
    arguments = ["--development", "8", "4", "2", "1", "--test", "14", "5", "4", "2"]
    arguments += ["--epochs", "1", "--workers", "0", "--cache", str(root / "cache")]
    assert main(["prepare", str(root / "photos"), str(root / "lab"), *arguments]) == 0
    # An epoch of these small views costs 16; two would be within the budget, and four are not.
    budget = root / "lab" / "budget.json"
    values = json.loads(budget.read_text(encoding="utf-8"))
    values["views"]["units"] = 30
    budget.write_text(json.dumps(values), encoding="utf-8")
    return root / "lab"


def laboratory(lab: Path, command: str, *arguments: str) -> int:
    rows = [str(lab.parent / one) if one.endswith(".yaml") else one for one in arguments]
    return main([command, *rows, "--lab", str(lab)])


@pytest.mark.slow
def test_from_photographs_to_the_table(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert laboratory(lab, "test", "published.yaml") == 2
    assert "run published --seed 0 --lab" in capsys.readouterr().err
    assert laboratory(lab, "run", "published.yaml", "larger.yaml") == 0
    said = capsys.readouterr()
    assert re.search(r"^published-seed0: micro-AP plain 0\.\d{3} \(", said.out, re.MULTILINE)
    trained = list((lab / "runs").glob("*/checkpoints/last.ckpt"))
    assert [path.parts[-3] for path in trained] == ["published-seed0"]  # for both rows
    written = trained[0].stat().st_mtime_ns
    assert laboratory(lab, "run", "published.yaml") == 0
    assert "taken from" in capsys.readouterr().out
    assert trained[0].stat().st_mtime_ns == written
    # One that was stopped before its first checkpoint left this, and is no run to go on with.
    (lab / "runs/published-seed1").mkdir()
    (lab / "runs/published-seed1/config.yaml").write_text("{}", encoding="utf-8")
    assert laboratory(lab, "run", "published.yaml", "--seed", "1") == 0
    assert sorted(path.name for path in (lab / "runs").glob("*-seed1*")) == [
        *("published-seed1", "published-seed1.yaml"),
    ]
    assert laboratory(lab, "test", "published.yaml") == 0
    model = str(trained[0])
    assert main(["model", model, "--name", "alike", "--test", "--lab", str(lab)]) == 0
    assert laboratory(lab, "systems", "--test") == 0
    assert laboratory(lab, "table") == 0
    assert laboratory(lab, "edits", "published") == 0
    rows = json.loads((lab / "results/table/table.json").read_text(encoding="utf-8"))["rows"]
    named = {row["row"]: row for row in rows}
    assert {"published", "larger", "dHash", "PDQ"} <= named.keys()
    assert named["larger"]["normalised"]["difference"]["samples"] > 900
    assert named["published"]["seeds"] == [0, 1]
    alike, seed0 = named["alike"]["plain"], named["published"]["plain"]
    assert alike["by_seed"][0] == seed0["by_seed"][0]  # the same network by another door
    assert named["published"]["cost"] == pytest.approx(32 * 2 * 0.25, rel=0.02)
    assert (lab / "results/table/table.png").stat().st_size > 1000
    assert (lab / "results/edits/published-seed0-normalised/missed.jpg").is_file()
    result = json.loads((lab / "results/test/published-seed0.json").read_text(encoding="utf-8"))
    chosen = json.loads((lab / "results/published-seed0.json").read_text(encoding="utf-8"))
    assert result["headline"] == chosen["headline"]
    assert set(result["ways"]) == {
        *("raw", "whitened", "raw-normalised", "whitened-normalised"),
    }


@pytest.mark.slow
def test_what_is_refused(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert laboratory(lab, "run", "costly.yaml") == 2
    assert "row costly costs 64 views at 64 px, 2.14 × the budget" in capsys.readouterr().err
    assert laboratory(lab, "run", "wrong.yaml") == 2
    assert (
        "row wrong: the configuration sets objectif, which is no setting" in capsys.readouterr().err
    )
    assert not list((lab / "runs").glob("wrong*/*"))
    photos = str(lab.parent / "photos")
    assert main(["prepare", photos, str(lab), "--epochs", "3", "--workers", "0"]) == 2
    assert "was made with other" in capsys.readouterr().err
    assert main(["table", "--lab", str(lab.parent / "nothing")]) == 2
    assert "is no laboratory yet" in capsys.readouterr().err


@pytest.mark.slow
def test_what_has_changed_is_left_out_and_not_looked_at_again(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = lab.parent / "changing.yaml"
    row.write_text(LARGER.replace("about: larger", "about: it"), encoding="utf-8")
    assert laboratory(lab, "run", "published.yaml", "changing.yaml") == 0
    assert laboratory(lab, "test", "changing.yaml") == 0
    row.write_text(row.read_text(encoding="utf-8").replace("48", "40"), encoding="utf-8")
    capsys.readouterr()
    assert laboratory(lab, "table", "--samples", "9") == 0
    assert "changing-seed0 is left out" in capsys.readouterr().err
    assert laboratory(lab, "run", "changing.yaml") == 0
    assert laboratory(lab, "test", "changing.yaml") == 2
    assert "which is looked at once" in capsys.readouterr().err
    assert laboratory(lab, "table", "--samples", "0") == 2
    assert "--samples 0: give at least 1" in capsys.readouterr().err
    (lab / "results/changing-seed0.json").unlink()
    assert laboratory(lab, "table", "--test", "--samples", "9") == 0
    assert "its result on development, where all is chosen, is gone" in capsys.readouterr().err
    assert laboratory(lab, "edits", "changing", "--test") == 2
    assert "changing has no result on development" in capsys.readouterr().err
    # A typo takes nothing away, and is told before anything is trained.
    typo = LARGER.replace("size:", "sise:")
    row.write_text(typo, encoding="utf-8")
    assert laboratory(lab, "run", "changing.yaml", "--again") == 2
    assert "row changing: describe: " in capsys.readouterr().err
    assert (lab / "runs/published-seed0/checkpoints/last.ckpt").is_file()
