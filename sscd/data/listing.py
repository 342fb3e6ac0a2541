"""Which files of a directory are pictures, by their extension."""

import os
import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sscd.data.decode import HEIF_EXTENSIONS, heif_available
from sscd.data.records import ImageSet
from sscd.errors import UserError
from sscd.terminal import tracked

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")


@dataclass(frozen=True)
class Listing:
    """What a directory holds.

    Attributes:
        images: The picture files, sorted by relative path.
        other: How many files were passed over, by extension; also `hidden` entries, links to
            directories (not followed), and entries that are no files.
    """

    images: ImageSet
    other: dict[str, int]

    @property
    def left_out(self) -> tuple[str, ...]:
        """One line on the files passed over, or none."""
        if not self.other:
            return ()
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.other.items()))
        total = sum(self.other.values())
        what = "entry is no picture" if total == 1 else "entries are not pictures"
        line = f"{self.images.root}: {total} {what} to read ({counts})"
        if set(HEIF_EXTENSIONS) & set(self.other):
            line += "; for heic and heif install sscd[heic]"
        return (line,)


def scan_images(root: Path, *, name: str) -> Listing:
    """List the pictures under a directory, recursively.

    Extensions count whatever their case; HEIC files count where `pillow_heif` is installed. Hidden
    files and directories are passed over; links to files are followed, links to directories not.

    Args:
        root: The directory.
        name: What the set of pictures is called in messages.

    Raises:
        UserError: The directory, or one inside it, is missing or cannot be read, or there is no
            picture in it.
    """
    wanted = _extensions()
    other: Counter[str] = Counter()
    names: list[bytes] = []
    for relative, kind in tracked(_walk(root), f"listing {name}", unit="files"):
        extension = os.fsdecode(posixpath.splitext(relative)[1]).lower()
        if kind != "file":
            other[kind] += 1
        elif extension in wanted:
            names.append(relative)
        else:
            other[extension or "without extension"] += 1
    if not names:
        raise UserError(no_pictures(root, other=dict(other)))
    names.sort()
    return Listing(images=ImageSet.from_names(name, root=root, names=names), other=dict(other))


def no_pictures(root: Path, *, other: dict[str, int] | None = None) -> str:
    """The message for a directory without a picture: what was looked for, what is there."""
    found = ", ".join(f"{count} {what}" for what, count in sorted((other or {}).items()))
    extensions = " ".join(extension.removeprefix(".") for extension in _extensions())
    heic = "" if heif_available() else "; for heic and heif install sscd[heic]"
    return (
        f"{root} has no readable picture; looked for {extensions} in it and below{heic}"
        f" (found {found or 'nothing else'})"
    )


def _extensions() -> tuple[str, ...]:
    return EXTENSIONS + (HEIF_EXTENSIONS if heif_available() else ())


def _walk(root: Path) -> Iterator[tuple[bytes, str]]:
    """Yield (relative path, kind) of everything that is not a plain directory."""
    top = os.fsencode(root)
    waiting = [b""]
    while waiting:
        prefix = waiting.pop()
        directory = posixpath.join(top, prefix) if prefix else top
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    relative = prefix + entry.name
                    if entry.name.startswith(b"."):
                        yield relative, "hidden"
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append(relative + b"/")
                    else:
                        yield relative, _kind(entry)
        except OSError as error:
            raise UserError(
                f"cannot list {os.fsdecode(directory)}: {error.strerror or error}; "
                "give a directory of pictures that can be read"
            ) from error


def _kind(entry: os.DirEntry[bytes]) -> str:
    if entry.is_file():
        return "file"
    if entry.is_symlink():
        return "linked directories" if entry.is_dir() else "broken links"
    return "special files"
