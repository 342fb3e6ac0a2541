"""What is missing is named with the extra that brings it."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib

import pytest

from sscd.errors import UserError
from sscd.extras import EXTRAS, missing_extra, require
from tests.conftest import REPOSITORY
from tests.test_layering import imports_of


def test_lines() -> None:
    assert missing_extra("lightning.pytorch") == (
        "this needs lightning, which is not installed; pip install 'sscd[train]'"
    )
    assert "sscd[onnx]" in str(missing_extra("onnxruntime"))
    assert missing_extra("numpy") is None
    assert missing_extra("") is None


def test_require() -> None:
    require("torch", "numpy")
    with pytest.raises(UserError, match="this needs nowhere_at_all; pip install nowhere_at_all"):
        require("torch", "nowhere_at_all")


def test_every_extra_is_one_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    offered = project["optional-dependencies"]
    assert set(EXTRAS) | {"dev", "docs"} == set(offered)
    core = {re.split(r"[\[<>=;~ ]", line)[0] for line in project["dependencies"]}
    distributions = importlib.metadata.packages_distributions()
    for extra, modules in EXTRAS.items():
        lines = {re.split(r"[\[<>=;~ ]", line)[0].lower() for line in offered[extra]}
        for module in modules:
            found = {name.lower() for name in distributions.get(module, [])}
            assert not found & core, f"{module} is there without {extra}"
        installed = {name.lower() for module in modules for name in distributions.get(module, [])}
        if installed and extra not in ("faiss",):
            assert lines & installed, f"no module of {extra} is of {lines}"


CALLED = {"PIL": "pillow", "yaml": "pyyaml", "docstring_parser": "jsonargparse"}
"""Modules whose distribution, or what brings it, is called otherwise."""


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    core = {re.split(r"[\[<>=;~ ]", line)[0] for line in project["dependencies"]}
    optional = {module for modules in EXTRAS.values() for module in modules}
    imported = {
        name.partition(".")[0]
        for path in (REPOSITORY / "sscd").rglob("*.py")
        for name in imports_of(path)
    }
    others = imported - set(sys.stdlib_module_names) - {"sscd"} - optional
    assert {CALLED.get(name, name) for name in others} == core


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        (["train"], "lightning", "train"),
        (["train", "--help", "all"], "lightning", "train"),
        (["preview"], "lightning", "train"),
        (["make-disc", "photos", "out"], "cv2", "train"),
    ],
)
def test_a_command_that_lacks_an_extra(command: list[str], module: str, extra: str) -> None:
    names = ",".join(EXTRAS[extra])
    code = f"import sys; from sscd.cli import main; sys.exit(main({command!r}))"
    done = subprocess.run(
        [sys.executable, "-m", "tests.blocked", names, code],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert f"pip install 'sscd[{extra}]'" in line
