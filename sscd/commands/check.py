"""`sscd check`: whether a data set in DISC21's layout, or a file for the challenge, is whole."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sscd.data.completeness import check_disc21
from sscd.errors import UserError
from sscd.formats.inspection import inspect_file
from sscd.formats.kinds import holds_parquet
from sscd.terminal import Result, current_mode, say


def check(
    root: Path,
    decode: int | None = None,
    workers: int | None = None,
    query_list: Path | None = None,
    reference_list: Path | None = None,
) -> Result:
    """Say whether a directory in DISC21's layout is whole, or a file as the challenge wants it.

    Args:
        root: The directory that holds train, references and the queries; or a file of descriptors
            (track 2, HDF5; Parquet) or of predictions (track 1, CSV).
        decode: Decode so many pictures of each directory, 0 for none; by default all of them.
        workers: Processes that decode; by default as many as there are cores.
        query_list: For a file: a text file with the id of a query on each line.
        reference_list: For a file: the same of references.
    """
    if (decode is not None and decode < 0) or (workers is not None and workers < 0):
        raise UserError(f"--decode {decode} --workers {workers}: give numbers from 0 on")
    if root.is_file() or (root.is_dir() and holds_parquet(root)):
        if decode is not None:
            raise UserError(f"--decode {decode}: {root} holds no pictures")
        values, problems = _check_file(root, query_list, reference_list)
    elif query_list is not None or reference_list is not None:
        raise UserError(f"--query_list, --reference_list: {root} is no file to hold against them")
    else:
        values, problems = _check_directory(root, decode, workers or os.cpu_count() or 1)
    if not problems:
        return Result(values, [f"{root} is whole"])
    noun = "problem is" if problems == 1 else "problems are"
    line = f"{root} is not whole: {problems:,} {noun} listed above; mend them"
    return Result(values, [], problem=line)


def _check_directory(root: Path, decode: int | None, workers: int) -> tuple[dict[str, Any], int]:
    """What was found, for programs, and the number of problems; people are told as it is found."""
    parts = []
    for part in check_disc21(root, decode=decode, workers=workers):
        parts.append(part)
        whole = "" if part.problems else ", whole"
        _list([f"{part.name}: {part.found}{whole}"], part.problems)
    problems = [f"{part.name}: {problem}" for part in parts for problem in part.problems]
    values = {"path": str(root), "problems": problems, "parts": [asdict(part) for part in parts]}
    return values, len(problems)


def _check_file(
    path: Path, query_list: Path | None, reference_list: Path | None
) -> tuple[dict[str, Any], int]:
    report = inspect_file(path, query_list=query_list, reference_list=reference_list)
    _list([f"{path}: {line}" for line in report.found], report.problems)
    return {**asdict(report), "path": str(path)}, report.count


def _list(found: Sequence[str], problems: Sequence[str]) -> None:
    if not current_mode().json:
        for line in (*found, *(f"  {problem}" for problem in problems)):
            say(line)
