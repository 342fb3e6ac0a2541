"""Which state of the code trains."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import sscd

_SECONDS = 10


@dataclass(frozen=True)
class GitState:
    """The checkout that the code runs from.

    Attributes:
        commit: Its hash.
        branch: Empty where none is checked out.
        dirty: Whether tracked files differ from the commit.
    """

    commit: str
    branch: str
    dirty: bool


def git_state(package: Path = Path(sscd.__file__).parent) -> GitState | None:
    """The state of the repository that a package is part of.

    Args:
        package: Directory of a package.

    Returns:
        None where it is in none, as an installed package, or where there is no git.
    """
    try:
        # An installed package may lie in somebody's repository without being part of it.
        _git(package, "ls-files", "--error-unmatch", "__init__.py")
        return GitState(
            commit=_git(package, "rev-parse", "HEAD"),
            branch=_git(package, "branch", "--show-current"),
            dirty=bool(_git(package, "status", "--porcelain", "--untracked-files=no")),
        )
    except (OSError, subprocess.SubprocessError):
        return None


def _git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        check=True,
        text=True,
        timeout=_SECONDS,
    )
    return done.stdout.strip()
