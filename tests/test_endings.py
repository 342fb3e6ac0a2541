"""How commands end: readers who leave, full disks, names and signs that a stream cannot write."""

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from sscd.endings import run_to_end
from tests.conftest import REPOSITORY

MANY = "from sscd.terminal import say\nfor _ in range(20000): say('a line of a result')"


def run(
    body: str, *, shell: str = "", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command with this body in bash, its output piped as `shell` says."""
    indented = "\n".join(f"    {line}" for line in [*body.splitlines(), "return 0"])
    program = (
        "import sys\nfrom sscd.endings import run_to_end\n"
        f"def command():\n{indented}\nsys.exit(run_to_end(command))"
    )
    return subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {shell}; exit "${{PIPESTATUS[0]}}"', sys.executable, program],
        capture_output=True,
        check=False,
        cwd=REPOSITORY,
        env=os.environ | (environ or {}),
    )


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_who_leaves_ends_it_quietly(buffered: str) -> None:
    done = run(MANY, shell="| head -1", environ={"PYTHONUNBUFFERED": buffered})
    assert done.stdout == b"a line of a result\n"
    assert done.stderr == b""
    assert done.returncode == 141


def test_both_streams_may_lose_their_reader() -> None:
    done = run(MANY.replace("say", "warn"), shell="2>&1 | head -1")
    assert (done.stderr, done.returncode) == (b"", 141)


def test_another_broken_pipe_is_a_bug() -> None:
    done = run("import os\nr, w = os.pipe()\nos.close(r)\nos.write(w, b'x')")
    assert done.returncode == 1
    assert b"BrokenPipeError" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_full_disk_is_said_once(buffered: str) -> None:
    done = run("print('x')", shell="> /dev/full", environ={"PYTHONUNBUFFERED": buffered})
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "sscd: error: cannot write: No space left on device; make space for files and output"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_a_file_is_not_taken_for_that_of_the_output() -> None:
    done = run("print('x')\nopen('/dev/full', 'wb', buffering=0).write(b'y')")
    assert (done.stdout, done.returncode) == (b"x\n", 2)
    assert b"printed" not in done.stderr
    assert b"cannot write: No space left on device" in done.stderr


def test_a_closed_output_is_no_error() -> None:
    done = run("print('x')\n" + MANY, shell=">&-")
    assert (done.returncode, done.stderr) == (0, b"")


def test_signs_that_the_encoding_lacks_are_degraded() -> None:
    line = "from sscd.terminal import say, warn\nsay('μAP ≥ 3 · 日'); warn('10 × …')"
    done = run(line, environ={"PYTHONIOENCODING": "ascii"})
    assert done.stdout == b"uAP >= 3 - \\u65e5\n"
    assert b"10 x ..." in done.stderr
    assert done.returncode == 0


def test_tables_and_bars_are_ascii_where_they_must() -> None:
    lines = (
        "from rich.table import Table\nfrom sscd.terminal import show\n"
        "table = Table('μAP', title='figures')\ntable.add_row('0.5')\nshow(table)"
    )
    done = run(lines, environ={"PYTHONIOENCODING": "ascii"})
    assert b"uAP" in done.stdout
    assert done.stdout.isascii()


def test_bytes_of_file_names_go_out_as_they_came_in() -> None:
    done = run("from sscd.terminal import say\nsay('caf\\udce9.jpg')")
    assert done.stdout == b"caf\xe9.jpg\n"


def test_a_warning_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def command() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("EXIF is\n corrupt", stacklevel=1)
            warnings.warn("will go", FutureWarning, stacklevel=1)
        return 0

    before = warnings.formatwarning
    monkeypatch.setattr(warnings, "showwarning", _as_python_does)
    assert run_to_end(command) == 0
    assert capsys.readouterr().err == (
        "warning: EXIF is corrupt\nwarning: will go (FutureWarning)\n"
    )
    assert warnings.formatwarning is before


def _as_python_does(message: Warning, category: type[Warning], *place: Any) -> None:
    sys.stderr.write(warnings.formatwarning(message, category, *place[:2]))


def test_an_error_of_the_system_without_a_file_is_a_bug() -> None:
    def command() -> int:
        raise OSError(errno.EINVAL, "a bug")

    with pytest.raises(OSError, match="a bug"):
        run_to_end(command)
