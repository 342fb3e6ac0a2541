"""The state of a benchmark's directory: new, begun, or finished, and by which request."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sscd.data.benchmark.changes import changes, refusal
from sscd.data.benchmark.lists import EDITS_FILE, LIST_FOLDER
from sscd.data.benchmark.lock import locked
from sscd.data.benchmark.marker import read_json, read_section, read_sizes
from sscd.data.benchmark.whole import missing_files
from sscd.data.disc21 import QUERY_DIRECTORIES
from sscd.errors import UserError
from sscd.files import appended_lines, atomic_path

MARKER = "benchmark.json"
_WORK = ".partial"
_BEGUN = "begun.json"
_RECORDS = "edits.jsonl"
_QUERIES = (names[0] for names in QUERY_DIRECTORIES.values())
_DIRECTORIES = ("", _WORK, LIST_FOLDER, "references", "train", *_QUERIES)


@dataclass(frozen=True)
class Journal:
    """Where the making of a benchmark stands.

    While it is made, a directory `.partial` holds what was asked for and the record of every query
    that is finished; it goes when `benchmark.json`, the last file, is there. A finished benchmark
    that lost files is gone on with in the same way.

    Attributes:
        out: The benchmark's directory.
        photos: The folder it is made from.
    """

    out: Path
    photos: Path

    @property
    def _work(self) -> Path:
        return self.out / _WORK

    @property
    def _begun(self) -> Path:
        return self._work / _BEGUN

    @property
    def _marker(self) -> Path:
        return self.out / MARKER

    def is_finished(self, request: Mapping[str, Any]) -> bool:
        """Whether the directory holds the whole benchmark that is asked for.

        Raises:
            UserError: It holds another one, or its marker is broken.
        """
        if not self._marker.exists():
            return False
        before = read_section(self._marker, "request")
        self._check_same(before, request, what="was made otherwise")
        if self.lost():
            return False
        if self._work.exists():  # killed between the marker and its removal
            with suppress(UserError), self.locked():
                self._begun.unlink(missing_ok=True)
        return True

    def lost(self) -> list[str]:
        """The files, relative to the directory, that a finished benchmark in it lacks.

        Raises:
            UserError: Its marker is broken.
        """
        return missing_files(self.out, read_sizes(self._marker)) if self._marker.exists() else []

    def check(self, request: Mapping[str, Any]) -> None:
        """Find out whether this benchmark can be made here, before it takes time.

        Args:
            request: What is asked for, and all else that the result depends on, as JSON values.

        Raises:
            UserError: Another request was begun or finished here, or something else lies here.
        """
        if self._begun.exists():
            self._check_same(read_json(self._begun), request, what="was begun otherwise")
        elif self._marker.exists():  # which knows no times of change, to be the same everywhere
            before = {
                **read_section(self._marker, "request"),
                "versions": read_section(self._marker, "versions"),
            }
            known = {key: request[key] for key in request if key in before}
            self._check_same(before, known, what="lost files and cannot be mended")
        elif self.out.exists():
            self._check_empty()

    def _check_empty(self) -> None:
        if not self.out.is_dir():
            raise UserError(f"{self.out} is a file; give a directory that is empty or not there")
        found = sorted(path.name for path in self.out.iterdir())
        if others := [name for name in found if not name.startswith(".")]:
            raise UserError(
                f"{self.out} holds {others[0]} ({len(others)} entries) and no benchmark; give a "
                "directory that is empty or not there"
            )

    def _check_same(self, before: dict[str, Any], now: Mapping[str, Any], *, what: str) -> None:
        asked = json.loads(json.dumps(now))
        if found := changes(before, asked, photos=self.photos):
            raise refusal(self.out, found, what=what)

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes from writing here; whatever is needed to go on stays.

        Raises:
            UserError: Another process writes here, or the directory cannot be written.
        """
        return locked(self._work, keep=self._begun)

    def begin(self, request: Mapping[str, Any]) -> None:
        """Begin, or go on with what was begun or lost files.

        Args:
            request: As it was checked.

        Raises:
            UserError: It cannot be made here, or the directory cannot be written.
        """
        self.check(request)
        for name in _DIRECTORIES:
            for left in (self.out / name).glob(".*.part"):  # of a process that was killed
                left.unlink(missing_ok=True)
        if not self._begun.exists():
            with atomic_path(self._begun) as temporary:
                temporary.write_text(json.dumps(request, indent=1) + "\n", encoding="utf-8")

    def records(self, wanted: Iterable[str]) -> dict[str, str]:
        """Query id → line of the wanted queries that were finished before, by whichever run.

        A line that was cut off is dropped.

        Raises:
            UserError: The file cannot be read or written.
        """
        asked, lines = set(wanted), dict[str, str]()
        for path in (self.out / EDITS_FILE, self._work / _RECORDS):
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            for line in text.split("\n"):
                try:
                    query_id = json.loads(line)["query_id"]
                    known = query_id in asked
                except (ValueError, TypeError, KeyError):
                    continue
                if known:
                    lines[query_id] = line
        with atomic_path(self._work / _RECORDS) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines.values()), encoding="utf-8")
        return lines

    def recording(self) -> AbstractContextManager[Callable[[str], None]]:
        """Give a function that remembers a line at once.

        Raises:
            UserError: The file cannot be written.
        """
        return appended_lines(self._work / _RECORDS)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the marker, then remove what was needed to go on.

        Raises:
            UserError: The marker cannot be written.
        """
        text = json.dumps(summary, indent=1, ensure_ascii=True)
        with atomic_path(self._marker) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
        self._begun.unlink(missing_ok=True)  # the rest goes with the lock
