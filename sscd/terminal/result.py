"""What a command gives back, and how it is printed for people or for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from sscd.terminal.printing import current_mode, remark, say_json, show


@dataclass(frozen=True)
class Result:
    """What came out of a command.

    Attributes:
        values: Plain values for programs; numbers that are not finite become null.
        shown: The same for people: lines and tables.
        remarks: What people may want to know besides, such as the next step.
        problem: What makes it a failure, for which the exit status is 2 once all is printed; empty
            where it is none.
    """

    values: Mapping[str, Any]
    shown: Sequence[RenderableType]
    remarks: Sequence[str] = ()
    problem: str = ""


def print_result(result: Result) -> None:
    """Print a result as was asked for."""
    if current_mode().json:
        say_json(dict(result.values))
        return
    for part in result.shown:
        show(part)
    for line in result.remarks:
        remark(line)
