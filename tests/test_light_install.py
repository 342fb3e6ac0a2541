"""Describing, matching, judging and exporting need none of the libraries of training."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from sscd.cli import COMMANDS
from tests.blocked import TRAINING_ONLY
from tests.commands.small import draw_sets, write_checkpoint
from tests.conftest import REPOSITORY

FOR_TRAINING = ("train", "preview", "make-disc")

THREE_LINES = """
from sscd import Descriptor
d = Descriptor.load("a.ckpt")
rows = d.describe(["queries/Q000.jpg", "references/R000.png"])
assert rows.shape == (2, 16), rows.shape
assert d.similarity(rows, rows)[0, 1] > 0.9
"""
COMMANDS_IN_TURN = """
import sys
from sscd.cli import main
for command in (
    "describe queries q.parts --checkpoint a.ckpt --workers 0",
    "describe references r.parts --checkpoint a.ckpt --workers 0",
    "export --checkpoint a.ckpt --queries queries --references references --output t.h5",
    "export --checkpoint a.ckpt --model-only --output a.safetensors",
    "evaluate t.h5 --ground-truth truth.csv",
    "check t.h5",
    "match queries references --checkpoint a.safetensors --threshold -0.2 --output m.csv",
    "dedup references --checkpoint a.ckpt --threshold -0.2 --output d.csv",
):
    assert main(command.split()) == 0, command
"""
NOTHING_OF_TRAINING = f"""
assert not set(sys.modules) & set({TRAINING_ONLY!r})
"""


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    draw_sets(tmp_path)
    write_checkpoint(tmp_path / "a.ckpt")
    return tmp_path


def run(arguments: list[str], cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    settings = {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(cwd / "cache"), **more}
    return subprocess.run(
        arguments, capture_output=True, text=True, check=False, cwd=cwd, env=os.environ | settings
    )


def test_without_the_libraries_of_training(sets: Path) -> None:
    """Blocked in this process, since an environment without them takes minutes to install."""
    code = THREE_LINES + COMMANDS_IN_TURN + NOTHING_OF_TRAINING
    blocked = [sys.executable, "-m", "tests.blocked", ",".join(TRAINING_ONLY), code]
    done = run(blocked, sets, PYTHONPATH=str(REPOSITORY))
    assert done.returncode == 0, done.stderr


def test_onnx_is_asked_for_before_anything_is_written(sets: Path) -> None:
    code = (
        "import sys; from sscd.cli import main; sys.exit(main('export --model-only --checkpoint "
        "a.ckpt --output out --format safetensors onnx'.split()))"
    )
    blocked = [sys.executable, "-m", "tests.blocked", "onnxscript", code]
    done = run(blocked, sets, PYTHONPATH=str(REPOSITORY))
    assert done.returncode == 2
    assert "pip install 'sscd[onnx]'" in done.stderr
    assert not list((sets / "out").iterdir())


def test_every_other_command_is_imported_without_them() -> None:
    targets = [
        command.target.partition(":")[0]
        for name, command in COMMANDS.items()
        if name not in FOR_TRAINING
    ]
    code = f"import importlib, sys\nfor name in {targets!r}: importlib.import_module(name)"
    blocked = [sys.executable, "-m", "tests.blocked", ",".join(TRAINING_ONLY)]
    done = run([*blocked, code + NOTHING_OF_TRAINING], REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert len(targets) >= 6


@pytest.mark.slow
def test_from_a_wheel(sets: Path, tmp_path: Path) -> None:
    """The wheel alone in an environment that sees this one's libraries, but for training's.

    What only an installation from scratch shows, such as a dependency that is not declared, is
    checked by `test_what_is_imported_is_declared`.
    """
    wheels = tmp_path / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(wheels)]
    built = run([*build, "--no-build-isolation", str(REPOSITORY)], tmp_path)
    if built.returncode:  # hatchling is not here; pip fetches it
        built = run([*build, str(REPOSITORY)], tmp_path)
    if built.returncode and "hatchling" in built.stderr:
        pytest.skip("neither hatchling nor a network to fetch it from")
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.glob("sscd-*.whl")
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    packages = next((tmp_path / "env" / "lib").glob("python*")) / "site-packages"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    installed = run([*install, str(wheel)], tmp_path)
    assert installed.returncode == 0, installed.stderr
    _lend_libraries(packages)
    box = Path("sscd", "models", "box")  # its network, where there is one, its facts and its card
    for path in (REPOSITORY / box).iterdir():
        assert path.is_dir() or (packages / box / path.name).is_file(), path.name
    code = THREE_LINES + COMMANDS_IN_TURN + NOTHING_OF_TRAINING
    where = "import sscd; assert sscd.__file__.startswith(sys.prefix), sscd.__file__"
    done = run([str(python), "-c", f"import sys\n{where}\n{code}"], sets)
    assert done.returncode == 0, done.stderr
    script = run([str(tmp_path / "env" / "bin" / "sscd"), "train"], sets)
    assert script.returncode == 2
    assert "pip install 'sscd[train]'" in script.stderr


def _lend_libraries(packages: Path) -> None:
    """Link the libraries of this environment into another, but for training's and this package."""
    left_out = {*TRAINING_ONLY, "sscd", "__pycache__"}
    for own in Path(next(p for p in sys.path if p.endswith("site-packages"))).iterdir():
        top = own.name.partition(".")[0].partition("-")[0].lower()
        if top not in left_out and own.suffix != ".pth" and not (packages / own.name).exists():
            (packages / own.name).symlink_to(own)
