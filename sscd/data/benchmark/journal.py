"""The state of a benchmark's directory: new, begun, or finished, and by which request."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sscd.errors import UserError
from sscd.files import atomic_path

MARKER = "benchmark.json"
_WORK = ".partial"
_BEGUN = "begun.json"
_RECORDS = "edits.jsonl"


@dataclass(frozen=True)
class Journal:
    """Where the making of a benchmark stands.

    While it is made, a directory `.partial` holds what was asked for and the record of every query
    that is finished; it goes when `benchmark.json`, the last file, is there.

    Attributes:
        out: The benchmark's directory.
    """

    out: Path

    @property
    def _work(self) -> Path:
        return self.out / _WORK

    def is_finished(self, request: Mapping[str, Any]) -> bool:
        """Whether the directory holds the whole benchmark that is asked for.

        Raises:
            UserError: It holds another one, or its marker is broken.
        """
        marker = self.out / MARKER
        if not marker.exists():
            return False
        _check_same(self.out, _read(marker).get("request"), request, verb="holds a benchmark")
        shutil.rmtree(self._work, ignore_errors=True)  # killed between the marker and this
        return True

    def check(self, request: Mapping[str, Any]) -> None:
        """Find out whether this benchmark can be made here, before it takes time.

        Args:
            request: What is asked for, and all else that the result depends on, as JSON values.

        Raises:
            UserError: Another request was begun here, or something else lies here.
        """
        begun = self._work / _BEGUN
        if begun.exists():
            _check_same(self.out, _read(begun), request, verb="holds the beginning of a benchmark")
            return
        if self.out.exists() and not self.out.is_dir():
            raise UserError(f"{self.out} is a file; give a directory that is empty or not there")
        found = sorted(path.name for path in self.out.iterdir()) if self.out.exists() else []
        if others := [name for name in found if name != _WORK]:
            raise UserError(
                f"{self.out} holds {others[0]} ({len(others)} entries) and no benchmark; give a "
                "directory that is empty or not there"
            )

    def begin(self, request: Mapping[str, Any]) -> None:
        """Begin, or go on with what was begun.

        Args:
            request: As it was checked.

        Raises:
            UserError: The directory cannot be written.
        """
        begun = self._work / _BEGUN
        if begun.exists():
            for left in self.out.rglob(".*.part"):  # of a process that was killed
                left.unlink(missing_ok=True)
            return
        with atomic_path(begun) as temporary:
            temporary.write_text(json.dumps(request, indent=1) + "\n", encoding="utf-8")

    def records(self, wanted: Iterable[str]) -> dict[str, str]:
        """Query id → line of the wanted queries that were finished before.

        A last line that was cut off is dropped, from the file too.

        Raises:
            UserError: The file cannot be read or written.
        """
        path, lines = self._work / _RECORDS, {}
        asked = set(wanted)
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        for line in text.split("\n"):
            try:
                query_id = json.loads(line)["query_id"]
            except (ValueError, TypeError, KeyError):
                continue
            if query_id in asked:
                lines[query_id] = line
        with atomic_path(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines.values()), encoding="utf-8")
        return lines

    @contextmanager
    def recording(self) -> Iterator[Callable[[str], None]]:
        """Yield a function that remembers a line at once.

        Raises:
            UserError: The file cannot be written.
        """
        path = self._work / _RECORDS
        with path.open("ab", buffering=0) as file:

            def record(line: str) -> None:
                data = f"{line}\n".encode()
                try:
                    if file.write(data) < len(data):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                except OSError as error:
                    reason = error.strerror or str(error)
                    raise UserError(
                        f"cannot write {path}: {reason}; make space and run again"
                    ) from error

            yield record

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the marker, then remove what was needed to go on.

        Raises:
            UserError: The marker cannot be written.
        """
        text = json.dumps(summary, indent=1, ensure_ascii=True)
        with atomic_path(self.out / MARKER) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
        shutil.rmtree(self._work, ignore_errors=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); remove {path.parent}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is no benchmark's; give a directory that is empty or not there")
    return content


def _check_same(out: Path, old: object, new: Mapping[str, Any], *, verb: str) -> None:
    asked = json.loads(json.dumps(new))
    if old == asked:
        return
    before = old if isinstance(old, dict) else {}
    key = next((key for key in asked if before.get(key) != asked[key]), "request")
    raise UserError(
        f"{out} {verb} with {key} {before.get(key)}, not {asked.get(key)}; give another "
        "directory, remove this one, or ask for the same"
    )
