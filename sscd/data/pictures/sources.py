"""What there is to describe: a folder, a list, shards or Parquet, told by content."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sscd.data.decode import HEIF_EXTENSIONS, heif_available
from sscd.data.listing import EXTENSIONS, scan_images
from sscd.data.pictures.path_list import ListedPictures, read_picture_list
from sscd.data.pictures.remote import Unreachable, find_files, is_file, local_path, read_url
from sscd.data.pictures.tables import open_picture_parquet
from sscd.data.records import ImageSet, Pictures
from sscd.data.shards.index import FORMAT, INDEX_FILE
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.sources import cache_directory
from sscd.errors import UserError

Kind = Literal["folder", "list", "shards", "parquet"]

_PARQUET = b"PAR1"
_EXTENSION = ".parquet"
_EXPECTED = "give a folder, a list of paths or URLs, what `sscd shard` wrote, or Parquet"


@dataclass(frozen=True)
class PictureSource:
    """Pictures, and where they come from.

    Attributes:
        pictures: In the order in which they are best read.
        kind: What the source is.
        location: Its absolute path or URL.
        left_out: One line a reason, for people: what was counted and not taken.
    """

    pictures: Pictures
    kind: Kind
    location: str
    left_out: tuple[str, ...] = ()


def open_pictures(
    source: str, *, name: str, cache: Path | None = None, limit: int | None = None
) -> PictureSource:
    """Open pictures, whatever holds them.

    A folder is listed with all below it; a text file names a path or URL on each line; a directory
    or URL with `sscd shard`'s index is shards; a Parquet file, or a folder with such files and
    without a picture, holds pictures in a column `image` or their places in a column `path`.

    Args:
        source: Path or URL.
        name: What the set is called in messages.
        cache: Where shards behind a URL are kept; by default `sscd` in `~/.cache`.
        limit: Bytes that such a set may hold there; None for no limit.

    Raises:
        UserError: It is none of these, is damaged, holds no picture, or has two of one id.
    """
    path = local_path(source)
    try:
        if path is None:
            return _open_url(source.rstrip("/"), name, cache_directory(cache), limit)
        return _open_path(path.absolute(), name, cache_directory(cache))
    except Unreachable as error:
        raise UserError(f"{source} cannot be read: {error}; {_EXPECTED}") from error


def _open_path(path: Path, name: str, cache: Path) -> PictureSource:
    if path.is_dir():
        index = path / INDEX_FILE
        if index.is_file() and _is_shard_index(index.read_bytes()):
            return _shards(str(path), name, cache=cache, limit=None)
        return _open_folder(path, name)
    try:
        with path.open("rb") as file:
            head = file.read(len(_PARQUET))
            data = b"" if head == _PARQUET else head + file.read()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; {_EXPECTED}") from error
    return _open_file(str(path), head, data, name)


def _open_folder(path: Path, name: str) -> PictureSource:
    try:
        listing = scan_images(path, name=name)
    except UserError:
        found = (file.relative_to(path).as_posix() for file in path.rglob(f"*{_EXTENSION}"))
        if tables := _visible(found):
            pictures = open_picture_parquet(tables, base=str(path), name=name, location=str(path))
            return PictureSource(pictures, "parquet", str(path))
        raise
    return PictureSource(listing.images, "folder", str(path), listing.left_out)


def _open_url(url: str, name: str, cache: Path, limit: int | None) -> PictureSource:
    index = f"{url}/{INDEX_FILE}"
    if is_file(index) and _is_shard_index(read_url(index)):
        return _shards(url, name, cache=cache, limit=limit)
    if is_file(url):
        head = read_url(url, first=len(_PARQUET))
        return _open_file(url, head, b"" if head == _PARQUET else read_url(url), name)
    found = find_files(url)
    files = _visible(found)
    wanted = EXTENSIONS + (HEIF_EXTENSIONS if heif_available() else ())
    names = [file for file in files if _extension(file) in wanted]
    tables = [file for file in files if _extension(file) == _EXTENSION]
    if tables and not names:
        pictures = open_picture_parquet(tables, base=url, name=name, location=url)
        return PictureSource(pictures, "parquet", url)
    if not names:
        raise UserError(f"{url} has no picture; {_EXPECTED}")
    images = ImageSet.from_names(name, root=Path(url), names=names)
    others = len(found) - len(names)
    left_out = (f"{url}: {others:,} files are not pictures to read",) if others else ()
    return PictureSource(ListedPictures(images, url, images.names), "folder", url, left_out)


def _open_file(location: str, head: bytes, data: bytes, name: str) -> PictureSource:
    base, _, file = location.rpartition("/")
    if head == _PARQUET:
        pictures = open_picture_parquet([file], base=base, name=name, location=location)
        return PictureSource(pictures, "parquet", location)
    if b"\0" in data:
        raise UserError(f"{location} is neither text nor Parquet; {_EXPECTED}")
    listed = read_picture_list(data, base=base, name=name, location=location)
    return PictureSource(listed, "list", location)


def _shards(location: str, name: str, *, cache: Path, limit: int | None) -> PictureSource:
    """Shards in the order of their bytes: each is read, or copied from its URL, once."""
    pictures = ShardedPictures.open(location, cache=cache, limit=limit)
    order = np.lexsort((pictures.index.offset, pictures.shards))
    return PictureSource(
        pictures.subset(order, name=name), "shards", location, left_out=pictures.broken
    )


def _is_shard_index(data: bytes) -> bool:
    return f'"{FORMAT}"'.encode() in data


def _visible(files: Iterable[str]) -> list[str]:
    """Sorted, without what lies under a name that begins with a dot or an underscore."""
    return sorted(file for file in files if not re.search(r"(^|/)[._]", file))


def _extension(file: str) -> str:
    return posixpath.splitext(file)[1].lower()
