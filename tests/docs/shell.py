"""A page's shell, run by a real bash whose `sscd` and `python` are this process.

Importing torch and Lightning takes seconds, and a page has many commands. So bash finds a small
program in place of each of ours: it hands its arguments, variables and open files over a socket to
the test, and ends as the command ends there. Pipes, redirections and `&&` are thus bash's own.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from tests.docs.blocks import Block, name_of

NAMES = ("sscd", "python", "torchrun", "make")
# What would change the machine or ask a network: their blocks say why they are not run.
REFUSED = (
    *("pip", "git", "curl", "wget", "apt-get", "docker", "kubectl"),
    *("srun", "sbatch", "wandb", "aws", "gsutil"),
)
Answer = Callable[[str, list[str]], int]
LIMIT = 600.0

_STAND_IN = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    request = [os.path.basename(sys.argv[0]), sys.argv[1:], os.getcwd(), dict(os.environ)]
    message = json.dumps(request).encode()
    socket.send_fds(connection, [len(message).to_bytes(8, "big")], [0, 1, 2])
    connection.sendall(message)
    sys.exit(int(connection.recv(16)))
"""


@dataclass(frozen=True)
class Failure:
    """A command that ended with another status than 0.

    Attributes:
        place: Page and line.
        status: What it ended with.
    """

    place: str
    status: int


class Shell:
    """Runs blocks of shell in a directory.

    Args:
        folder: Where commands run; `.venv/bin` there holds the programs that stand in for ours.
        answer: Runs one of ours, by name and arguments, in this process; returns its status.
        variables: Environment variables beside the process's own.
    """

    def __init__(self, folder: Path, answer: Answer, variables: dict[str, str]) -> None:
        self.folder = folder
        self._answer = answer
        self._scratch = Path(tempfile.mkdtemp(prefix="sscd"))  # the path of a socket is short
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._scratch / "socket"))
        self._listener.listen()
        programs = folder / ".venv" / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        text = _STAND_IN.format(python=sys.executable, address=str(self._scratch / "socket"))
        for name in NAMES:
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        for name in REFUSED:
            (programs / name).write_text("#!/bin/sh\necho $0: not for a test >&2\nexit 126\n")
            (programs / name).chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self._variables = os.environ | variables | {"PATH": path}

    def close(self) -> None:
        self._listener.close()
        shutil.rmtree(self._scratch)

    def run(self, block: Block) -> tuple[list[Failure], str]:
        """Run a block to its end, whatever fails on the way.

        Returns:
            What failed, and all that was printed.
        """
        failures = self._scratch / "failures"
        failures.write_text("")
        # Bash's line numbers are the page's.
        trap = f"trap 'echo $LINENO $? >> {failures}' ERR; set -Eo pipefail"
        script = self._scratch / "script"
        script.write_text(trap + "\n" * (block.line - 1) + block.text + "\ntrue\n")
        printed = self._scratch / "printed"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", str(script)],
                cwd=self.folder,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            with process:
                self._serve(process)
        lines = [tuple(map(int, line.split())) for line in failures.read_text().splitlines()]
        failed = [Failure(f"{name_of(block.page)}:{line}", status) for line, status in lines]
        if process.returncode:
            failed.append(Failure(block.place, process.returncode))
        return failed, printed.read_text(errors="replace")

    def _serve(self, process: "subprocess.Popen[bytes]") -> None:
        end = time.monotonic() + LIMIT
        waiting: list[_Request] = []
        while process.poll() is None:
            if time.monotonic() > end:
                process.kill()
            if select.select([self._listener], [], [], 0.02)[0]:
                waiting.append(_Request.receive(self._listener))
            for request in [one for one in waiting if one.ready]:
                waiting.remove(request)
                request.serve(self._answer)


@dataclass(frozen=True)
class _Request:
    """A program of ours that bash has started, and that waits to be run here."""

    connection: socket.socket
    argv: list[str]
    folder: Path
    variables: dict[str, str]
    files: list[int]

    @classmethod
    def receive(cls, listener: socket.socket) -> "_Request":
        connection, _ = listener.accept()
        header, files, _, _ = socket.recv_fds(connection, 8, 3)
        message = bytearray()
        while len(message) < int.from_bytes(header, "big"):
            message += connection.recv(65536)
        name, arguments, folder, variables = json.loads(message)
        return cls(connection, [name, *arguments], Path(folder), variables, files)

    @property
    def ready(self) -> bool:
        """At the end of a pipe it waits for what is before it, which is run here as well."""
        piped = stat.S_ISFIFO(os.fstat(self.files[0]).st_mode)
        return not piped or bool(select.select([self.files[0]], [], [], 0)[0])

    def serve(self, answer: Answer) -> None:
        with self.connection:
            with _in_place_of(self.folder, self.variables, self.files, self.argv):
                status = answer(self.argv[0], self.argv[1:])
            for file in self.files:
                os.close(file)
            self.connection.sendall(str(status).encode())


@contextlib.contextmanager
def _in_place_of(
    folder: Path, variables: dict[str, str], files: list[int], argv: list[str]
) -> Iterator[None]:
    """This process with another's directory, variables, arguments and open files."""
    kept = [os.dup(number) for number in (0, 1, 2)]
    with contextlib.ExitStack() as stack:
        for number, file in enumerate(files):
            os.dup2(file, number)
            stack.callback(os.close, kept[number])
            stack.callback(os.dup2, kept[number], number)
        out = stack.enter_context(open(os.dup(1), "w", encoding="utf-8"))  # noqa: PTH123
        error = stack.enter_context(open(os.dup(2), "w", encoding="utf-8", buffering=1))  # noqa: PTH123
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(error))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(mock.patch.dict(os.environ, variables, clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", argv))
        yield
