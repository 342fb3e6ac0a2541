"""`sscd <command>`: the table of commands, and how one is run."""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sscd import __version__
from sscd.endings import USAGE_ERROR, run_to_end
from sscd.errors import UserError, meant

if TYPE_CHECKING:
    from sscd.terminal import Result


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

    def load(self) -> "Callable[..., Result | None]":
        """Import the function behind the command."""
        module, _, name = self.target.partition(":")
        function: Callable[..., Result | None] = getattr(importlib.import_module(module), name)
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
    "report": Command(
        "sscd.commands.report:report",
        "show judged runs as one HTML page: pictures, figures, curves, thresholds",
        positional=("runs",),
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
    "attack": Command(
        "sscd.commands.attack:attack",
        "change pictures a little so that a network no longer knows them",
        positional=("images",),
    ),
    "shard": Command(
        "sscd.commands.shard:shard",
        "pack a folder of pictures to tar shards",
        positional=("pictures", "output"),
    ),
    "baseline": Command(
        "sscd.commands.baseline:baseline",
        "find copies by GIST, Multigrain, or HOW with ASMK",
        positional=("name",),
    ),
    "table": Command(
        "sscd.commands.table:table",
        "measure other systems and trained networks on one data set, beside one another",
        positional=("disc",),
    ),
    "check": Command(
        "sscd.commands.check:check",
        "say whether a data set like DISC21, or a file for the challenge, is whole",
        positional=("root",),
    ),
}


_HELP, _VERSION = ("-h", "--help"), ("-V", "--version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status.

    Args:
        argv: Arguments after the program's name; by default the process's own.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Read when torch is imported: threads that spin while they wait take the cores from the workers
    # that decode, which makes a small machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return run_to_end(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in _HELP:
        # Without a command it is an error, after which nothing stands on standard output.
        print(_help(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else USAGE_ERROR
    if arguments[0] in _VERSION:
        print(f"sscd {__version__}")  # noqa: T201
        return 0
    from sscd.arguments.shared import split_shared
    from sscd.terminal import output_mode

    mode, rest = split_shared(arguments)
    with output_mode(mode):
        return _run_command(rest)


def _run_command(arguments: list[str]) -> int:
    from sscd.terminal import print_result, working

    if not arguments:
        raise UserError("no command is given; `sscd --help` lists them")
    name, rest = arguments[0], arguments[1:]
    if name in (*_HELP, *_VERSION):
        return _run(arguments)
    if name not in COMMANDS:
        guess = meant(name, COMMANDS) or f"; `sscd --help` lists them: {', '.join(COMMANDS)}"
        raise UserError(f"'{name}' is no command{guess}")
    command = COMMANDS[name]
    with working("loading libraries"):
        function = command.load()
    result = function(rest) if command.parses_itself else _call(name, function, rest)
    if result is not None:
        print_result(result)
        if result.problem:
            raise UserError(result.problem)
    return 0


def _call(
    name: str,
    function: "Callable[..., Result | None]",
    arguments: list[str],
) -> "Result | None":
    from sscd.arguments.functions import parse_function

    parsed: dict[str, Any] = parse_function(
        function, arguments, prog=f"sscd {name}", positional=COMMANDS[name].positional
    )
    return function(**parsed)


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
            "`sscd <command> --help` lists the options of a command. All take --quiet (no progress",
            "and no remarks) and --json (the result as one JSON object on standard output).",
        ]
    )
