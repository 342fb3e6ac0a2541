"""Text files of any size in blocks of whole lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sscd.errors import UserError

_CHUNK = 1 << 22
_LONGEST_LINE = 1 << 16
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class LineBlock:
    """Lines that follow one another.

    Attributes:
        first: Number of the first line, from 1.
        text: The lines, each with its end, which is always a line feed.
        cut: Whether the last of them had no end, as in a file that was cut off.
    """

    first: int
    text: bytes
    cut: bool = False


def line_blocks(path: Path, *, chunk: int = _CHUNK) -> Iterator[LineBlock]:
    """Yield a file's lines in blocks of about `chunk` bytes.

    A byte-order mark is taken off, CRLF becomes a line feed, blank lines at the end are left out.

    Raises:
        UserError: The file cannot be read, or has a line, or blank lines, of megabytes.
    """
    number, rest = 1, b""
    try:
        with path.open("rb") as stream:
            while read := stream.read(chunk):
                rest = (rest + read).removeprefix(_MARK) if number == 1 else rest + read
                # Blank lines wait: they may be the last.
                filled = len(rest[: rest.rfind(b"\n") + 1].rstrip(b"\r\n"))
                if filled:
                    end = rest.index(b"\n", filled) + 1
                    block = LineBlock(number, rest[:end].replace(b"\r\n", b"\n"))
                    yield block
                    number += block.text.count(b"\n")
                    rest = rest[end:]
                if len(rest) > max(_LONGEST_LINE, chunk):
                    text = f"{path}, line {number}: {len(rest):,} bytes without a line of text"
                    raise UserError(f"{text}; is it a CSV file?")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot read {path}: {reason}; give a CSV file") from error
    if tail := rest.rstrip(b"\r\n"):
        yield LineBlock(number, tail.replace(b"\r\n", b"\n") + b"\n", cut=True)
