"""The `sscd` commands in a block of shell, read without running it."""

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.docs.blocks import Block, name_of

SCRIPTS = {"train.py": "train", "export.py": "export"}
OPERATORS = {";", "&", "&&", "|", "||", "(", ")", "<", ">", ">>"}


@dataclass(frozen=True)
class Invocation:
    """One command of ours.

    Attributes:
        place: Page and line.
        command: Its name, such as `evaluate`.
        arguments: What stands after it.
    """

    place: str
    command: str
    arguments: tuple[str, ...]


def invocations_of(block: Block) -> list[Invocation]:
    """The commands of ours in a block, also those that srun or torchrun start."""
    found = []
    for line, text in _logical_lines(block):
        for words in _simple_commands(text):
            if (start := _start(words)) is not None and words[start:]:
                place = f"{name_of(block.page)}:{line}"
                found.append(Invocation(place, words[start], tuple(words[start + 1 :])))
    return found


def _logical_lines(block: Block) -> list[tuple[int, str]]:
    """Lines with their continuations, and the number of the first of each."""
    joined: list[tuple[int, str]] = []
    continued = False
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        if continued:
            first, before = joined[-1]
            joined[-1] = (first, before.removesuffix("\\") + line.lstrip())
        else:
            joined.append((number, line))
        continued = line.endswith("\\")
    return joined


def _simple_commands(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        if word in OPERATORS:
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _start(words: list[str]) -> int | None:
    """Where the command's name stands; a script is replaced by the name of its command."""
    for place, word in enumerate(words):
        name = PurePosixPath(word).name
        if name in SCRIPTS:
            words[place] = SCRIPTS[name]
            return place
        if name == "sscd":
            return place + 1
    return None
