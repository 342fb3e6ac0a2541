"""The stand-ins behave as programs do: under pipes, redirections, variables and failures."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.answers import answer, status_of
from tests.docs.blocks import Block
from tests.docs.shell import Failure, Shell
from tests.docs.smaller import smaller


def echo(name: str, arguments: list[str]) -> int:
    """Print what is asked; end with the status that is asked, if one is."""
    told = " ".join([name, *arguments])
    if arguments[0] == "fail":
        return int(arguments[1])
    if arguments[0] == "read":
        with open(0, closefd=False, encoding="utf-8") as typed:
            told = f"read {typed.read().strip()}"
    if arguments[0] == "where":
        told = f"{Path.cwd().name} {os.environ.get('COLOUR')} {sys.argv}"
    sys.stdout.write(f"{told}\n")
    sys.stderr.write("warned\n")
    return 0


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with contextlib.closing(Shell(tmp_path, echo, {})) as made:
        yield made


def block(text: str, *, line: int = 10) -> Block:
    return Block(REPOSITORY / "docs" / "page.md", line, "sh", text, None)


def test_bash_does_what_is_its_own(shell: Shell, tmp_path: Path) -> None:
    text = (
        "mkdir sub && cd sub\n"
        "COLOUR='dark blue' sscd where && cd ..\n"
        "sscd one 'two words' \\\n    three > out.txt 2> err.txt  # a comment\n"
        "sscd a b | python read\n"
        ".venv/bin/sscd last\n"
    )
    failures, printed = shell.run(block(text))
    assert failures == []
    assert [line for line in printed.splitlines() if line != "warned"] == [
        "sub dark blue ['sscd', 'where']",
        "read sscd a b",
        "sscd last",
    ]
    assert printed.count("warned") == 4
    assert (tmp_path / "out.txt").read_text() == "sscd one two words three\n"
    assert (tmp_path / "err.txt").read_text() == "warned\n"


def test_this_process_is_as_before(shell: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    folder, variables, argv = Path.cwd(), dict(os.environ), list(sys.argv)
    shell.run(block("X=1 sscd one\n"))
    assert (Path.cwd(), dict(os.environ), sys.argv) == (folder, variables, argv)
    sys.stdout.write("still here\n")
    os.write(1, b"and here\n")
    assert capfd.readouterr() == ("still here\nand here\n", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sscd ok\nsscd fail 2\nsscd ok\n", [(11, 2)]),
        ("sscd fail 3 | cat\n", [(10, 3)]),
        ("sscd ok && sscd fail 4\n", [(10, 4)]),
        ("ls nothing-here\nsscd fail 1\n", [(10, 2), (11, 1)]),
        ("sscd fail 2 || echo fine\n", []),
        ("no-such-program\n", [(10, 127)]),
        ("pip install sscd\n", [(10, 126)]),
        ("exit 5\n", [(10, 5)]),
        ("sscd [--optional\n)\n", [(10, 2)]),
    ],
)
def test_what_fails_is_told_with_its_line(
    shell: Shell, text: str, expected: list[tuple[int, int]]
) -> None:
    failures, _ = shell.run(block(text))
    assert failures == [Failure(f"docs/page.md:{line}", status) for line, status in expected]


def test_a_status_is_that_of_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(lambda: 3) == 3
    assert status_of(sys.exit) == 0
    assert status_of(lambda: sys.exit(4)) == 4
    assert status_of(lambda: sys.exit("why")) == 1
    assert capsys.readouterr().err == "why\n"
    assert status_of(lambda: int("x")) == 1
    assert "invalid literal" in capsys.readouterr().err


def test_targets_of_make_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer("make", ["test", "PYTHON=python3"]) == 0
    assert answer("make", ["tests"]) == 2
    assert "no target tests" in capsys.readouterr().err


def test_sizes_are_added_and_nothing_is_taken_away() -> None:
    given = ["P", "OUT", "--references", "2000", "--training=4000"]
    made = smaller("make-disc", given)
    assert made[: len(given)] == given
    assert made[-4:] == ["--references", "16", "--training", "9"]
    assert "--queries" not in made
    assert smaller("check", ["--help"]) == ["--help"]
    assert "--trainer.devices" in smaller("train", [])
    assert "--trainer.devices" not in smaller("train", [], launched=True)
