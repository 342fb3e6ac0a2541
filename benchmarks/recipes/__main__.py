"""`python -m benchmarks.recipes COMMAND`: the laboratory's commands."""

import os
import signal
import sys
from collections.abc import Sequence

from sscd.cli import Command
from sscd.endings import USAGE_ERROR, run_to_end
from sscd.errors import UserError, meant

COMMANDS = {
    "prepare": Command(
        "benchmarks.recipes.preparing:prepare",
        "share photographs out and make the benchmarks",
        positional=("photos", "out"),
    ),
    "run": Command(
        "benchmarks.recipes.running:run_rows",
        "train rows and judge them on development",
        positional=("rows",),
    ),
    "test": Command(
        "benchmarks.recipes.running:judge_rows",
        "judge trained rows on test",
        positional=("rows",),
    ),
    "systems": Command(
        "benchmarks.recipes.systems:systems", "judge GIST and perceptual hashes alike"
    ),
    "model": Command(
        "benchmarks.recipes.model:model",
        "judge a network's file as rows are",
        positional=("file",),
    ),
    "table": Command("benchmarks.recipes.table:table", "draw the table and the curves"),
    "edits": Command(
        "benchmarks.recipes.edits:edits",
        "show which edits still defeat a row",
        positional=("row",),
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for sent in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(sent) != signal.SIG_IGN:  # as under nohup
            signal.signal(sent, signal.default_int_handler)  # a training is told, and saves
    return run_to_end(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    from sscd.arguments.functions import parse_function
    from sscd.arguments.shared import split_shared
    from sscd.terminal import output_mode, print_result

    mode, rest = split_shared(arguments)
    if not rest or rest[0] in ("-h", "--help"):
        width = max(map(len, COMMANDS))
        lines = [f"  {name:<{width}}  {one.summary}" for name, one in COMMANDS.items()]
        text = "\n".join(["usage: python -m benchmarks.recipes COMMAND [options]", "", *lines])
        print(text, file=sys.stdout if rest else sys.stderr)
        return 0 if rest else USAGE_ERROR
    name = rest[0]
    if name not in COMMANDS:
        raise UserError(f"'{name}' is no command{meant(name, COMMANDS)}; --help lists them")
    with output_mode(mode):
        command = COMMANDS[name]
        function = command.load()
        parsed = parse_function(
            function,
            rest[1:],
            prog=f"python -m benchmarks.recipes {name}",
            positional=command.positional,
        )
        result = function(**parsed)
        if result is not None:
            print_result(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
