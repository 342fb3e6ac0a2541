"""What stands in for `sscd`, `python`, `torchrun` and `make` while a page is run."""

import os
import re
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from sscd.cli import main
from tests.conftest import REPOSITORY
from tests.docs.invocations import SCRIPTS
from tests.docs.smaller import smaller

# What a page may run as `python -m` in this process.
MODULES = ("sscd", "benchmarks")


def answer(name: str, arguments: list[str]) -> int:
    """Run one of our programs; returns its status. What it raises is printed, and is status 1."""
    programs = {"sscd": _sscd, "python": _python, "torchrun": _torchrun, "make": _make}
    return status_of(lambda: programs[name](arguments))


def status_of(call: Callable[[], int]) -> int:
    try:
        return call()
    except SystemExit as stop:
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception:
        traceback.print_exc()
        return 1


def _sscd(arguments: list[str]) -> int:
    return main([*arguments[:1], *smaller(arguments[0], arguments[1:])] if arguments else [])


def _python(arguments: list[str]) -> int:
    if arguments[0] == "-m" and arguments[1].partition(".")[0] in MODULES:
        _, module, *rest = arguments
        if module == "sscd":
            return _sscd(rest)
        sys.argv = [module, *smaller(module, rest)]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return 0
    script = Path(arguments[0])
    if script.suffix != ".py":
        return subprocess.call([sys.executable, *arguments])
    if script.name in SCRIPTS:
        arguments = [script.name, *smaller(SCRIPTS[script.name], arguments[1:])]
    sys.argv = list(arguments)
    runpy.run_path(str(script), run_name="__main__")
    return 0


def _torchrun(arguments: list[str]) -> int:
    """Real processes, two of them, of the real programs: only the sizes differ."""
    start = next(
        place
        for place, word in enumerate(arguments)
        if word in ("-m", "--no-python") or word.endswith(".py")
    )
    launcher, program = arguments[:start], arguments[start:]
    real = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.call(
        [
            *(sys.executable, "-m", "torch.distributed.run", *smaller("torchrun", launcher)),
            *_smaller_program(program),
        ],
        env=os.environ | real,
    )


def _smaller_program(words: list[str]) -> list[str]:
    """`train.py …`, `--no-python sscd train …` or `-m sscd train …`, with small sizes."""
    name = SCRIPTS.get(Path(words[0]).name)
    end = 1 if name else 3
    return [*words[:end], *smaller(name or words[2], words[end:], launched=True)]


def _make(arguments: list[str]) -> int:
    """Whether the targets exist; they are what these tests are a part of."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    if unknown := {word for word in arguments if "=" not in word} - targets:
        sys.stderr.write(f"make: no target {', '.join(sorted(unknown))}\n")
        return 2
    return 0
