"""`sscd check`: whether a data set in DISC21's layout, or a file for the challenge, is whole."""

import os
from dataclasses import asdict
from pathlib import Path

from sscd.data.completeness import check_disc21
from sscd.errors import UserError
from sscd.formats.inspection import inspect_file
from sscd.formats.kinds import holds_parquet
from sscd.terminal import say, say_json


def check(
    root: Path,
    decode: int | None = None,
    workers: int | None = None,
    query_list: Path | None = None,
    reference_list: Path | None = None,
    json: bool = False,
) -> None:
    """Say whether a directory in DISC21's layout is whole, or a file as the challenge wants it.

    Args:
        root: The directory that holds train, references and the queries; or a file of descriptors
            (track 2, HDF5; Parquet) or of predictions (track 1, CSV).
        decode: Decode so many pictures of each directory, 0 for none; by default all of them.
        workers: Processes that decode; by default as many as there are cores.
        query_list: For a file: a text file with the id of a query on each line.
        reference_list: For a file: the same of references.
        json: Print what is found as JSON instead.
    """
    if (decode is not None and decode < 0) or (workers is not None and workers < 0):
        raise UserError(f"--decode {decode} --workers {workers}: give numbers from 0 on")
    if root.is_file() or (root.is_dir() and holds_parquet(root)):
        if decode is not None:
            raise UserError(f"--decode {decode}: {root} holds no pictures")
        problems = _check_file(root, query_list, reference_list, json=json)
    elif query_list is not None or reference_list is not None:
        raise UserError(f"--query_list, --reference_list: {root} is no file to hold against them")
    else:
        problems = _check_directory(root, decode, workers or os.cpu_count() or 1, json=json)
    if problems:
        raise UserError(f"{root} is not whole: {problems} problems are listed above; mend them")
    if not json:
        say(f"{root} is whole")


def _check_directory(root: Path, decode: int | None, workers: int, *, json: bool) -> int:
    parts = []
    for part in check_disc21(root, decode=decode, workers=workers):
        parts.append(part)
        if not json:
            say(f"{part.name}: {part.found}" + (", whole" if not part.problems else ""))
            _list(part.problems)
    problems = [f"{part.name}: {problem}" for part in parts for problem in part.problems]
    if json:
        say_json({"path": str(root), "problems": problems, "parts": [asdict(p) for p in parts]})
    return len(problems)


def _check_file(
    path: Path, query_list: Path | None, reference_list: Path | None, *, json: bool
) -> int:
    report = inspect_file(path, query_list=query_list, reference_list=reference_list)
    if json:
        say_json({**asdict(report), "path": str(path)})
    else:
        for line in report.found:
            say(f"{path}: {line}")
        _list(report.problems)
    return report.count


def _list(problems: tuple[str, ...]) -> None:
    for problem in problems:
        say(f"  {problem}")
