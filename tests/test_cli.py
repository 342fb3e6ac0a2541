"""The command line: help, errors of one line with status 2, and speed of import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sscd.cli import COMMANDS, main
from sscd.errors import UserError
from tests.conftest import REPOSITORY, Runner


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.strip().splitlines()
    assert line.startswith("sscd: error: ")
    return line


def test_help_lists_the_commands_and_imports_no_torch() -> None:
    code = (
        "import sys; from sscd.cli import main; status = main(['--help']); "
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules; sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    for name, command in COMMANDS.items():
        assert name in done.stdout
        assert command.summary in done.stdout


SCRIPTS = ("train", "export")


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_have_help(name: str, run_script: Runner) -> None:
    done = run_script(f"{name}.py", "--help")
    assert done.returncode == 0, done.stderr
    assert "--help" in done.stdout


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(SCRIPTS)))
def test_every_other_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize(("given", "expected"), [(None, "passive"), ("active", "active")])
def test_threads_wait_without_spinning_unless_told(
    given: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    assert main(["--version"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == expected


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from sscd import __version__

    for arguments in (["--version"], ["--quiet", "--version"], ["--json", "-V"]):
        assert main(arguments) == 0
        assert capsys.readouterr().out.strip() == f"sscd {__version__}"
    assert main(["--quiet", "--help"]) == 0
    assert "usage: sscd <command>" in capsys.readouterr().out


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert "'trian' is no command; did you mean train?" in error_of(capsys, "trian")
    assert "`sscd --help` lists them: train, " in error_of(capsys, "zzz")
    assert "no command is given" in error_of(capsys, "--quiet")


def test_no_command_prints_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "usage: sscd" in printed.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--data.batchsize", "3"), "no option; did you mean --data.batch_size?"),
        (("--data.batch", "3"), "--data.batch"),  # no abbreviations
        (("--data.batch_size", "many"), "data.batch_size got many; expected a whole number"),
        (("--trainer.max_epochs", "soon"), "got soon; expected a whole number or null"),
        (("--logger", "wanbd"), "expected one of csv, wandb; did you mean wandb?"),
        (("--config", "quikstart"), "did you mean quickstart?"),
        (("--model.network.backbone", "vgg16"), "backbone got 'vgg16'"),
        (("--model.network.dims", "0"), "dims got 0"),
        (("--data.recipe.crop_scale", "[0.9, 0.1]"), "crop_scale"),
        (("--data.views", "1"), "views got 1"),
        (("--data.layout", "folder"), "data.layout folder needs a directory"),
        (("--data.root", "nowhere"), "nowhere"),
        (("--config", "nowhere"), "config nowhere"),
        (("--ckpt_path", "last"), "ckpt_path last"),
        (("--ckpt_path", "nowhere.ckpt"), "nowhere.ckpt does not exist"),
        (("--model.neighbours", "5"), "neighbours got 5"),
        (("--model.optimizer.momentum", "2"), "momentum got 2"),
        (("--seed_everything", "-1"), "seed_everything"),
        (("--data.max_training", "0"), "max_training got 0"),
        (("--export", "true", "--model.network.dims", "300"), "track 2 takes at most 256"),
        (("--trainer.default_root_dir", "x"), "--run_dir"),
        (("--run_dir", "/dev/null/run"), "cannot write /dev/null/run"),
    ],
)
def test_wrong_training_arguments(
    arguments: tuple[str, ...],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected in error_of(capsys, "train", *arguments)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_wrong_key_in_a_file_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("data:\n  batchsize: 3\n")
    line = error_of(capsys, "train", "--config", "a.yaml")
    assert "sets data.batchsize, which is no setting; did you mean data.batch_size?" in line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"data: [1\n", "config a.yaml, line 2"),
        (b"\x89PNG\r\n\xff\xfe", "config a.yaml is not text"),
        (b"hello", "config a.yaml holds no settings"),
        (b"model: 3", "'model' got 3; expected a section"),
        (b"data: {inference: 4}", "'data.inference' got 4"),
        (b"modle: {}", "unknown key 'modle'"),
        (b"data: {batch_size: null}", "configuration: "),
    ],
)
def test_wrong_files_are_named(
    content: bytes,
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_bytes(content)
    assert expected in error_of(capsys, "train", "--config", "a.yaml")


def test_photographs_need_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "give --data.root DIR" in error_of(capsys, "train", "--config", "photos")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("queries", "references", "empty"):
        (tmp_path / name).mkdir()
    for name in ("queries", "references"):
        (tmp_path / name / "a.jpg").write_bytes(b"no picture")
    return tmp_path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    import torch

    from sscd.augment.inference import InferenceSize
    from sscd.models.checkpoint import pack_metadata
    from sscd.models.descriptor import DescriptorNet, NetworkConfig

    config = NetworkConfig(backbone="resnet18", dims=300)
    network = DescriptorNet(config)
    state = {f"network.{key}": value for key, value in network.state_dict().items()}
    path = tmp_path / "wide.ckpt"
    metadata = pack_metadata(config, InferenceSize(32), trained_at=32, optimizer="adamw")
    torch.save({"state_dict": state, **metadata}, path)
    return path


def export_of(folder: Path, changed: dict[str, str]) -> list[str]:
    values = {
        "checkpoint": str(folder / "wide.ckpt"),
        "queries": str(folder / "queries"),
        "references": str(folder / "references"),
        "output": str(folder / "out.h5"),
        "workers": "0",
    } | changed
    return ["export", *(part for key, value in values.items() for part in (f"--{key}", value))]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "300 dimensions; track 2 takes at most 256"),
        ({"dims": "200"}, "needs --training"),
        ({"training": "empty", "dims": "301"}, "--dims 301 is out of range"),
        ({"checkpoint": "nowhere.ckpt"}, "nowhere.ckpt does not exist"),
        ({"device": "tpu"}, "device"),
        ({"size": "big"}, "size"),
        ({"sizes": "3"}, "--sizes"),
        ({"size": "5"}, "--size 5 is too small"),
        ({"batch_size": "0"}, "--batch_size 0"),
        ({"workers": "-1"}, "--workers -1"),
    ],
)
def test_wrong_export_arguments(
    changed: dict[str, str],
    expected: str,
    folders: Path,
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert expected in error_of(capsys, *export_of(folders, changed))
    assert not list(folders.glob("out.h5*"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"queries": "nowhere"}, "nowhere"),
        ({"references": "empty"}, "jpg"),  # which extensions were looked for
        ({"output": "empty"}, "is a directory"),
        ({"dims": "3"}, "needs 3 training pictures"),
        ({}, "was described"),
    ],
)
def test_wrong_export_folders(
    changed: dict[str, str],
    expected: str,
    folders: Path,
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = {k: v if k == "dims" else str(folders / v) for k, v in changed.items()}
    usual = {"training": str(folders / "queries"), "projection": "pca", "dims": "1"}
    command = export_of(folders, usual | named)
    assert main(command) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("sscd: error: ")
    assert expected in error
    assert not list(folders.glob("out.h5"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "photos, out"),
        (("photos",), "required: out"),
        (("photos", "out", "more"), "unrecognized arguments: more"),
        (("photos", "out", "--reference", "3"), "--reference"),  # no abbreviations
        (("photos", "out", "--references", "many"), "references"),
        (("photos", "out", "--references", "3"), "--references 3 --queries 500"),
        (("photos", "out", "--queries", "0"), "--queries 0"),
        (("photos", "out", "--distractors", "-1"), "--distractors -1"),
        (("photos", "out", "--by_hand", "0.7", "--air_gap", "0.4"), "--by_hand 0.7 --air_gap 0.4"),
        (("photos", "out", "--max_side", "8"), "--max_side 8"),
        (("photos", "out", "--near_duplicate_distance", "12"), "--near_duplicate_distance 12"),
        (("photos", "out", "--workers", "-1"), "--workers -1"),
        (("photos", "photos/out"), "lie within one another"),
        (("photos/in", "photos"), "lie within one another"),
        (("photos", "out", "--dev_edits", "nowhere"), "nowhere"),
        (("photos", "out", "--leave_out", "blurr"), "--leave_out blurr"),
        (("photos", "out"), "cannot list photos"),
    ],
)
def test_wrong_benchmark_arguments(
    arguments: tuple[str, ...],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected in error_of(capsys, "make-disc", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_missing_argument_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "checkpoint" in error_of(capsys, "export", "--output", "x.h5")


def test_a_workers_traceback_is_unwrapped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "Caught UserError in worker 0.\nOriginal Traceback:\n  x.py\nUserError: a.jpg is gone"
    monkeypatch.setattr("sscd.cli._run", lambda _: (_ for _ in ()).throw(UserError(message)))
    assert error_of(capsys, "train") == "sscd: error: a.jpg is gone"


def test_files_that_cannot_be_used_are_named_anywhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = PermissionError(13, "Permission denied", "private/photos")
    monkeypatch.setattr("sscd.cli._run", lambda _: (_ for _ in ()).throw(error))
    assert "private/photos: Permission denied" in error_of(capsys, "train")
    monkeypatch.setattr("sscd.cli._run", lambda _: (_ for _ in ()).throw(OSError("a bug")))
    with pytest.raises(OSError, match="a bug"):
        main(["train"])
