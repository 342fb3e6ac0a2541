"""What commands and long work print."""

from sscd.terminal.bars import Work, stop_bars, tracked, watched, working
from sscd.terminal.display import in_terminal, speaks
from sscd.terminal.printing import (
    OutputMode,
    console,
    current_mode,
    output_mode,
    remark,
    say,
    say_json,
    show,
    warn,
)
from sscd.terminal.result import Result, print_result

__all__ = [
    "OutputMode",
    "Result",
    "Work",
    "console",
    "current_mode",
    "in_terminal",
    "output_mode",
    "print_result",
    "remark",
    "say",
    "say_json",
    "show",
    "speaks",
    "stop_bars",
    "tracked",
    "warn",
    "watched",
    "working",
]
