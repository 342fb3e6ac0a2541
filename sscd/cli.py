"""`sscd <command>`: the table of commands, and how an error reaches the person."""

import errno
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sscd import __version__
from sscd.errors import Stopped, UserError
from sscd.extras import missing_extra

USAGE_ERROR = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        target: `module:function`; imported when the command runs, since torch takes seconds.
        summary: One line for `sscd --help`.
        parses_itself: The function takes the list of arguments, not parsed ones.
        positional: Arguments that are given by place, not by name.
    """

    target: str
    summary: str
    parses_itself: bool = False
    positional: tuple[str, ...] = ()

    def load(self) -> Callable[..., None]:
        """Import the function behind the command."""
        module, _, name = self.target.partition(":")
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
        return function


COMMANDS = {
    "train": Command(
        "sscd.commands.train:train", "train a descriptor and validate it", parses_itself=True
    ),
    "preview": Command(
        "sscd.commands.preview:preview",
        "show training views as a configuration makes them",
        parses_itself=True,
    ),
    "export": Command("sscd.commands.export:export", "write track-2 descriptors of two folders"),
    "describe": Command(
        "sscd.commands.describe:describe",
        "write descriptors of any number of pictures as Parquet, in parts",
        positional=("source", "output"),
    ),
    "evaluate": Command(
        "sscd.commands.evaluate:evaluate",
        "judge descriptors or predictions against a ground truth",
        positional=("files",),
    ),
    "match": Command(
        "sscd.commands.match:match",
        "find the copies of one set of pictures in another",
        positional=("queries", "references"),
    ),
    "dedup": Command(
        "sscd.commands.dedup:dedup",
        "find the groups of copies within one set of pictures",
        positional=("pictures",),
    ),
    "make-disc": Command(
        "sscd.commands.make_disc:make_disc",
        "make a benchmark like DISC21 from a folder of photographs",
        positional=("photos", "out"),
    ),
    "shard": Command(
        "sscd.commands.shard:shard",
        "pack a folder of pictures to tar shards",
        positional=("pictures", "output"),
    ),
    "check": Command(
        "sscd.commands.check:check",
        "say whether a data set like DISC21, or a file for the challenge, is whole",
        positional=("root",),
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status.

    Args:
        argv: Arguments after the program's name; by default the process's own.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Read when torch is imported: threads that spin while they wait take the cores from the workers
    # that decode, which makes a small machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        return _run(arguments)
    except UserError as error:
        _complain(_innermost(str(error)))
        return USAGE_ERROR
    except ModuleNotFoundError as error:
        # A worker's error arrives as text, without the name.
        named = error.name or str(error).rpartition("No module named '")[2].partition("'")[0]
        if (line := missing_extra(named)) is None:
            raise
        _complain(line)
        return USAGE_ERROR
    except OSError as error:
        # Files vanish, disks fill and permissions lack anywhere; what has no file name is a bug.
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EIO):
            _complain(f"cannot write what is printed: {error.strerror}; make space for it")
            return USAGE_ERROR
        if error.filename is None:
            raise
        _complain(f"{error.filename}: {error.strerror}; check that it is there and may be used")
        return USAGE_ERROR
    except KeyboardInterrupt as interrupt:
        return _interrupted(interrupt)


def _interrupted(interrupt: KeyboardInterrupt) -> int:
    if not isinstance(interrupt, Stopped):
        _complain("; ".join(["interrupted", *map(str, interrupt.args)]))
        return INTERRUPTED
    if str(interrupt):
        _complain(str(interrupt))
    return interrupt.status


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())  # noqa: T201
        return 0 if arguments else USAGE_ERROR
    if arguments[0] in ("--version", "-V"):
        print(f"sscd {__version__}")  # noqa: T201
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        raise UserError(f"'{name}' is no command; `sscd --help` lists them: {', '.join(COMMANDS)}")
    command = COMMANDS[name]
    if command.parses_itself:
        command.load()(rest)
    else:
        _call(name, command, rest)
    return 0


def _call(name: str, command: Command, arguments: list[str]) -> None:
    from sscd.arguments import parse_function

    function = command.load()
    parsed: dict[str, Any] = parse_function(
        function, arguments, prog=f"sscd {name}", positional=command.positional
    )
    function(**parsed)


def _help() -> str:
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: sscd <command> [options]",
            "",
            "Self-supervised descriptors for image copy detection.",
            "",
            "commands:",
            *rows,
            "",
            "`sscd <command> --help` lists the options of a command.",
        ]
    )


def _innermost(message: str) -> str:
    """The message itself, where a loader's worker has wrapped it into its traceback."""
    return message.rpartition("UserError: ")[2] if "Original Traceback" in message else message


def _complain(message: str) -> None:
    print(f"sscd: error: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
