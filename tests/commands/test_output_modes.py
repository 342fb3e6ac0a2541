"""Every command, and any new one, takes `--json` and `--quiet`, and keeps what they promise."""

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sscd.cli import COMMANDS, main
from tests.commands.benchmarks import arguments as benchmark_arguments
from tests.commands.benchmarks import picture
from tests.commands.small import draw_disc, draw_sets, write_checkpoint
from tests.conftest import REPOSITORY, Runner
from tests.report.page.page_parts import systems_of

QUICK = ("--workers", "0")
PREVIEW = (
    *("--data.procedural.training", "4", "--data.procedural.references", "2"),
    *("--data.procedural.copies", "1", "--data.procedural.distractors", "1"),
    *("--data.procedural.size", "64", "--data.workers", "0", "--pictures", "2"),
)
TINY = (
    *("--data.procedural.size", "32", "--data.procedural.training", "24"),
    *("--data.procedural.references", "12", "--data.procedural.copies", "6"),
    *("--data.procedural.distractors", "4", "--data.image_size", "32"),
    *("--data.inference.size", "32", "--data.batch_size", "8", "--data.workers", "0"),
    *("--trainer.max_epochs", "1", "--compare", "true", "--export", "false"),
)
NETWORK = ("--checkpoint", "a.ckpt")
EXPORT = (*NETWORK, "--queries", "queries", "--references", "references", "--output", "t.h5")
JUDGE = ("t.h5", "--ground-truth", "truth.csv", "--samples", "20", "--output", "evaluation.h5")
GIST = ("--queries", "queries", "--references", "references", "--dims", "960")

# Command → its arguments, and keys that its JSON has.
LINES: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "train": (TINY, {"run", "files", "best", "compared", "differences", "ended", "reason"}),
    "preview": (PREVIEW, {"output", "parameters", "pictures", "views"}),
    "export": ((*EXPORT, *QUICK), {"output", "queries", "references", "dims", "unreadable"}),
    "describe": (
        ("queries", "described", *NETWORK, *QUICK),
        {"output", "described", "unreadable", "partitions", "partitions_made"},
    ),
    "evaluate": (JUDGE, {"protocols", "thresholds", "origin"}),
    "report": (("evaluation.h5", "--samples", "20"), {"reports", "differences"}),
    "match": (
        ("queries", "references", *NETWORK, "--threshold", "-0.1", *QUICK),
        {"output", "matches", "queries_matched", "queries", "references", "threshold"},
    ),
    "dedup": (
        ("references", *NETWORK, "--threshold", "-0.1", *QUICK),
        {"output", "groups", "pictures_in_groups", "pictures", "matches", "largest", "threshold"},
    ),
    "make-disc": ((), {"output", "finished_before", "references", "queries", "unreadable"}),
    "attack": (
        ("queries", *NETWORK, "--output", "attacked", "--steps", "2"),
        {"output", "target_psnr", "pictures", "unreadable", "psnr", "ssim", "cosine", "made"},
    ),
    "baseline": (
        ("gist", *GIST, "--output", "gist.csv", *QUICK),
        {"output", "baseline", "queries", "references", "pairs", "normalised", "unreadable"},
    ),
    "table": (
        ("disc", *NETWORK, "--rows", "checkpoints", "--samples", "20", "--output", "tab", *QUICK),
        {"output", "markdown", "pictures", "evaluations", "rows", "left_out", "attacks"},
    ),
    "shard": (
        ("references", "shards", *QUICK),
        {"output", "pictures", "shards", "bytes", "unreadable", "finished_before"},
    ),
    "check": (("t.h5",), {"path", "kind", "found", "problems", "count"}),
}


def only_value(printed: str) -> dict[str, Any]:
    """The one JSON object that stands there, with numbers that JSON has."""
    value = json.loads(printed, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, a network, descriptors and their evaluation."""
    root = draw_sets(tmp_path_factory.mktemp("modes"))
    draw_disc(root / "disc")
    write_checkpoint(root / "a.ckpt")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert main(["export", *EXPORT, *QUICK]) == 0
        assert main(["evaluate", *JUDGE]) == 0
    return root


@pytest.fixture
def line_of(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], list[str]]:
    """The line of a command, in the directory that it is for."""
    monkeypatch.chdir(prepared)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def line(name: str) -> list[str]:
        if name == "make-disc":
            photos = tmp_path / "photos"
            photos.mkdir()
            for number in range(40):
                picture(number).save(photos / f"{number}.png")
            return benchmark_arguments(photos, tmp_path / "disc")
        return [name, *LINES[name][0]]

    return line


def test_all_commands_are_tried() -> None:
    assert set(LINES) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(set(LINES) - {"train"}))
def test_one_object_and_no_word_besides(
    name: str, line_of: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    command = line_of(name)
    capsys.readouterr()
    assert main(["--quiet", *command, "--json"]) == 0, capsys.readouterr().err
    printed = capsys.readouterr()
    assert printed.err == ""
    assert only_value(printed.out).keys() >= LINES[name][1]


@pytest.mark.slow
def test_training(run_script: Runner, tmp_path: Path) -> None:
    done = run_script("train.py", *TINY, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    value = only_value(done.stdout)
    assert value.keys() == LINES["train"][1]
    assert (value["run"], value["ended"], value["reason"]) == ("runs/quickstart", "finished", None)
    assert (tmp_path / value["files"]["best_checkpoint"]).is_file()
    assert 0 <= value["best"]["micro_ap"] <= 1
    names = [system["system"] for system in value["compared"]]
    assert names[:2] == ["trained", "untrained network"]
    difference = value["differences"][0]
    assert (difference["system"], difference["against"]) == ("untrained network", "trained")
    assert difference["interval"]["low"] <= difference["interval"]["estimate"]
    trained, before = systems_of(tmp_path / value["files"]["report"])[:2]
    assert trained["facts"]["checkpoint"].endswith("last.ckpt")
    assert trained["facts"]["model.network.backbone"] == "resnet18"
    assert "checkpoint" not in before["facts"]


def test_quiet_keeps_results_and_warnings(
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken").mkdir()
    picture(0).save("broken/a.png")
    Path("broken/b.jpg").write_bytes(b"x")
    assert main(["shard", "broken", "shards", "--quiet", "--check", *QUICK]) == 0
    printed = capsys.readouterr()
    assert "shards: 1 pictures in 1 shard" in printed.out
    assert printed.err.startswith("warning: 1 picture could not be read")


def test_without_quiet_the_json_stands_alone_too(
    line_of: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line_of("make-disc"), "--json"]) == 0
    assert only_value(capsys.readouterr().out)["finished_before"] is False


def test_an_error_prints_no_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nowhere", "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("sscd: error: nowhere")


@pytest.mark.parametrize("name", sorted(set(COMMANDS)))
def test_help_names_both(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        main([name, "--help"])
    printed = capsys.readouterr().out
    assert "--quiet" in printed
    assert "--json" in printed


@pytest.mark.parametrize("name", sorted(LINES))
def test_keys_are_documented(name: str) -> None:
    page = (REPOSITORY / "docs" / "scripting.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{name}` \|.*$", page, re.MULTILINE)
    assert [key for key in LINES[name][1] if f"`{key}`" not in row] == []
