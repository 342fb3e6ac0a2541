"""The directory of an attack while it is made: what was asked for, and what is finished."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sscd.attacks.directory import (
    ATTACK_FILE,
    FORMAT,
    MANIFEST_FILE,
    read_attack_file,
    read_manifest,
)
from sscd.attacks.record import AttackedPicture
from sscd.data.benchmark.changes import refusal
from sscd.errors import UserError
from sscd.files import appended_lines, atomic_path, check_writable_directory

_LOCK = ".lock"
_NETWORK = {"model": "the network", "preprocessing": "the size of its pictures"}
_VERSION = "version"


@dataclass(frozen=True)
class AttackJournal:
    """Where the making of an attack stands.

    Attributes:
        out: Its directory.
        request: What its pictures depend on, as JSON values.
        about: What else others may want to know, likewise.
    """

    out: Path
    request: Mapping[str, Any]
    about: Mapping[str, Any]

    def check(self) -> None:
        """Find out whether this attack can be made here, before it takes time.

        Raises:
            UserError: Another attack was made here, or something else lies here.
        """
        if (self.out / ATTACK_FILE).exists():
            before = read_attack_file(self.out)["request"]
            if found := list(_changes(before, json.loads(json.dumps(self.request)))):
                raise refusal(self.out, found, what="was made otherwise")
        elif self.out.exists():
            self._check_empty()

    def _check_empty(self) -> None:
        if not self.out.is_dir():
            raise UserError(f"{self.out} is a file; give a directory that is empty or not there")
        found = sorted(path.name for path in self.out.iterdir() if not path.name.startswith("."))
        if found:
            raise UserError(
                f"{self.out} holds {found[0]} ({len(found)} entries) and no attack; give a "
                "directory that is empty or not there"
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing here.

        Raises:
            UserError: Another process writes here, or the directory cannot be written.
        """
        from filelock import FileLock, Timeout

        check_writable_directory(self.out)
        lock = FileLock(self.out / _LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise UserError(f"another attack is writing {self.out}; wait for it") from error
        try:
            yield
        finally:
            (self.out / _LOCK).unlink(missing_ok=True)
            lock.release()

    def begin(self) -> dict[str, AttackedPicture]:
        """Begin, or go on; what is finished already, by id.

        Raises:
            UserError: It cannot be made here, or the directory cannot be written.
        """
        self.check()
        for left in self.out.rglob(".*.part"):  # of a process that was killed
            left.unlink(missing_ok=True)
        records = {
            image_id: record
            for image_id, record in read_manifest(self.out).items()
            if (self.out / record.file).is_file()
        }
        self._write(finished=False, summary=None)
        self._rewrite(records.values())
        return records

    @contextlib.contextmanager
    def recording(self) -> Iterator[Callable[[AttackedPicture], None]]:
        """Yield a function that remembers a finished picture at once.

        Raises:
            UserError: The manifest cannot be written.
        """
        with appended_lines(self.out / MANIFEST_FILE) as add:
            yield lambda picture: add(picture.line())

    def finish(self, records: Sequence[AttackedPicture], summary: Mapping[str, Any]) -> None:
        """Write the manifest in order, and that the attack is finished.

        Raises:
            UserError: They cannot be written.
        """
        self._rewrite(records)
        self._write(finished=True, summary=summary)

    def _rewrite(self, records: Any) -> None:
        with atomic_path(self.out / MANIFEST_FILE) as temporary:
            text = "".join(f"{record.line()}\n" for record in records)
            temporary.write_text(text, encoding="utf-8")

    def _write(self, *, finished: bool, summary: Mapping[str, Any] | None) -> None:
        content = {
            "format": FORMAT,
            "finished": finished,
            **self.about,
            "request": self.request,
            "summary": summary,
        }
        with atomic_path(self.out / ATTACK_FILE) as temporary:
            temporary.write_text(f"{json.dumps(content, indent=1)}\n", encoding="utf-8")


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in {**now, **before}:
        if before.get(key) == now.get(key):
            continue
        if key == _VERSION:
            yield "the way sscd attacks pictures changed since"
        else:
            yield f"{_NETWORK.get(key, f'--{key}')} was {before.get(key)}, is now {now.get(key)}"
