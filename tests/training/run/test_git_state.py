"""The commit, branch and changes of a real repository; nothing where there is none."""

import subprocess
from pathlib import Path

from sscd.training.run.git_state import git_state


def git(folder: Path, *arguments: str) -> None:
    named = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *named, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    git(tmp_path, "init", "--initial-branch", "work")
    assert git_state(package) is None, "not part of the repository around it"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message", "first")
    state = git_state(package)
    assert state is not None
    assert (len(state.commit), state.branch, state.dirty) == (40, "work", False)
    (package / "__init__.py").write_text("changed")
    git(tmp_path, "checkout", "--detach")
    changed = git_state(package)
    assert changed is not None
    assert (changed.commit, changed.branch, changed.dirty) == (state.commit, "", True)


def test_no_repository(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    assert git_state(tmp_path / "missing") is None
