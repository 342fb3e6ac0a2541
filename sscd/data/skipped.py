"""The pictures that could not be read, named once each."""

from collections.abc import Mapping
from pathlib import Path

from sscd.files import atomic_path

_NAMED = 3


class SkipLog:
    """Collects unreadable pictures.

    Example:
        >>> log = SkipLog()
        >>> log.add(Path("photos/a.jpg"), "truncated")
        >>> log.add(Path("photos/a.jpg"), "truncated")
        >>> log.summary()
        '1 picture could not be read: photos/a.jpg (truncated); all in skipped.txt'
    """

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._reasons)

    @property
    def reasons(self) -> Mapping[str, str]:
        """Path → reason, so far."""
        return dict(self._reasons)

    def add(self, path: Path | str, reason: str) -> None:
        """Note a picture; a picture that is known keeps its first reason."""
        self._reasons.setdefault(one_line(str(path)), one_line(reason))

    def summary(self, *, file: str | None = "skipped.txt") -> str:
        """One line with the count and the first pictures; empty where there is none.

        Args:
            file: Where all are listed; None where they are not, or not yet.
        """
        if not self._reasons:
            return ""
        named = [f"{path} ({reason})" for path, reason in list(self._reasons.items())[:_NAMED]]
        count = len(self._reasons)
        noun = "picture" if count == 1 else "pictures"
        more = ", …" if count > _NAMED else ""
        listed = f"; all in {file}" if file else ""
        return f"{count} {noun} could not be read: {', '.join(named)}{more}{listed}"

    def write(self, path: Path) -> None:
        """Write `path<tab>reason` lines, after those that the file holds already.

        Raises:
            UserError: The file cannot be written.
        """
        if not self._reasons:
            return
        old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        lines = dict(line.partition("\t")[::2] for line in old.split("\n") if line)
        for name, reason in self._reasons.items():
            lines.setdefault(name, reason)
        text = "".join(f"{name}\t{reason}\n" for name, reason in lines.items())
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")


def one_line(text: str) -> str:
    """Text for one field of one line: what cannot be printed, tabs and line ends are escaped."""
    printable = text.encode("utf-8", "backslashreplace").decode()
    return printable.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
