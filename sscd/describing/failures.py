"""The pictures of a description that have no descriptor, as lines of a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from sscd.data.skipped import one_line


@dataclass(frozen=True)
class Failure:
    """A picture without a descriptor.

    Attributes:
        id: Its id.
        path: Where it lies.
        reason: Why it could not be read.
    """

    id: str
    path: str
    reason: str


def encode_failures(failures: Sequence[Failure]) -> bytes:
    """A line for each picture: id, path and reason, with tabs between."""
    rows = ((failure.id, failure.path, failure.reason) for failure in failures)
    return "".join("\t".join(map(one_line, row)) + "\n" for row in rows).encode()


def decode_failures(data: bytes) -> tuple[Failure, ...]:
    """What `encode_failures` wrote, or several such files, one after the other."""
    rows = (line.split("\t") for line in data.decode(errors="replace").split("\n") if line)
    return tuple(Failure(*[*row, "", ""][:3]) for row in rows)
