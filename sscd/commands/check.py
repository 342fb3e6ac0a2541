"""`sscd check`: whether a data set in DISC21's layout is whole."""

import os
from pathlib import Path

from sscd.data.completeness import check_disc21
from sscd.errors import UserError
from sscd.terminal import say


def check(root: Path, decode: int | None = None, workers: int | None = None) -> None:
    """Say whether a directory in DISC21's layout is whole.

    Args:
        root: The directory that holds train, references and the queries.
        decode: Decode so many pictures of each directory, 0 for none; by default all of them.
        workers: Processes that decode; by default as many as there are cores.
    """
    if (decode is not None and decode < 0) or (workers is not None and workers < 0):
        raise UserError(f"--decode {decode} --workers {workers}: give numbers from 0 on")
    problems = 0
    for part in check_disc21(root, decode=decode, workers=workers or os.cpu_count() or 1):
        say(f"{part.name}: {part.found}" + (", whole" if not part.problems else ""))
        for problem in part.problems:
            say(f"  {problem}")
        problems += len(part.problems)
    if problems:
        raise UserError(f"{root} is not whole: {problems} problems are listed above; mend them")
    say(f"{root} is whole")
