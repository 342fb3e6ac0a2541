"""What commands and long work print."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def progress() -> Progress:
    """A progress bar with counts and time left, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def say(*parts: object) -> None:
    """Print a line to standard output, not wrapped and not coloured by its content."""
    Console().print(*parts, highlight=False, soft_wrap=True, markup=False)


def warn(*parts: object) -> None:
    """Print a warning to standard error."""
    Console(stderr=True).print(
        "warning:", *parts, style="yellow", highlight=False, soft_wrap=True, markup=False
    )
