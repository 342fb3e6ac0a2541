"""One shard: picture files to a tar archive, and a page that says what is in it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from sscd.data.decode import UnreadableImage, load_image, open_image
from sscd.data.shards.index import Shard, content_digest
from sscd.files import atomic_path

TAR_BLOCK = 512
"""Bytes; a member takes one for its header, and its contents are padded to whole ones."""
_JPEG_EXTENSIONS = (b".jpg", b".jpeg")


@dataclass(frozen=True)
class PackOptions:
    """How pictures are packed.

    Attributes:
        megabytes: Of picture files in a shard, in 10⁶ bytes, before any is shrunk.
        max_side: Pictures with a longer side are shrunk to it, in pixels, and stored as JPEG of
            quality 95 (4:4:4); None keeps all files as they are.
        check: Decode every picture, and leave out those that cannot be.
    """

    megabytes: int = 128
    max_side: int | None = None
    check: bool = False


@dataclass(frozen=True)
class ShardTask:
    """A shard to write.

    Attributes:
        file: Its name.
        names: The pictures, as bytes relative to their folder.
        jpeg_names: What each is called in the archive where it is shrunk.
    """

    file: str
    names: tuple[bytes, ...]
    jpeg_names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A picture in a shard.

    Attributes:
        name: Its path in the folder, surrogate-escaped.
        offset: Where its bytes begin in the archive.
        size: How many they are.
        digest: `content_digest` of the file that it was packed from.
    """

    name: str
    offset: int
    size: int
    digest: int


@dataclass(frozen=True)
class ShardPage:
    """What became of a task.

    Attributes:
        shard: The archive; it is not kept where it has no member.
        members: Its pictures, in the order of their bytes.
        skipped: (path, reason) of the pictures left out.
    """

    shard: Shard
    members: tuple[Member, ...]
    skipped: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path) -> "ShardPage":
        """Read what `write_shard` noted."""
        page = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            shard=Shard(**page["shard"]),
            members=tuple(Member(**member) for member in page["members"]),
            skipped=tuple((name, reason) for name, reason in page["skipped"]),
        )


def names_as_jpeg(names: Sequence[bytes]) -> list[bytes]:
    """A name for each picture should it become a JPEG, so that no two members share one.

    `a.png` becomes `a.png.jpg`; where the folder has a picture of that name, `a.png.2.jpg`.
    """
    taken = set(names)
    chosen = []
    for name in names:
        new, number = name, 1
        if not name.lower().endswith(_JPEG_EXTENSIONS):
            while new in taken:
                new = name + (b".jpg" if number == 1 else b".%d.jpg" % number)
                number += 1
            taken.add(new)
        chosen.append(new)
    return chosen


def write_shard(
    task: ShardTask, *, root: Path, out: Path, pages: Path, options: PackOptions
) -> None:
    """Write a shard to `out`, then its page to `pages`.

    Raises:
        UserError: They cannot be written.
    """
    members: list[Member] = []
    skipped: list[tuple[str, str]] = []
    path = out / task.file
    with atomic_path(path) as temporary:
        with tarfile.open(
            temporary, "w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
        ) as tar:
            for raw, jpeg_name in zip(task.names, task.jpeg_names, strict=True):
                name = _text(raw)
                try:
                    source = _read(root / name)
                    shrunk = _shrink(source, root / name, options)
                except UnreadableImage as error:
                    skipped.append((str(error.path), error.reason))
                    continue
                data = source if shrunk is None else shrunk
                info = tarfile.TarInfo(name if shrunk is None else _text(jpeg_name))
                info.size = len(data)  # no time, no owner: equal pictures make equal shards
                tar.addfile(info, io.BytesIO(data))
                padded = -(-len(data) // TAR_BLOCK) * TAR_BLOCK
                digest = int(content_digest(source))
                members.append(Member(name, tar.offset - padded, len(data), digest))
        size = temporary.stat().st_size
        with temporary.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
    if not members:
        path.unlink()
    shard = Shard(name=task.file, pictures=len(members), size=size, sha256=checksum)
    page = ShardPage(shard=shard, members=tuple(members), skipped=tuple(skipped))
    with atomic_path(page_path(pages, task)) as temporary:
        temporary.write_text(json.dumps(asdict(page)), encoding="utf-8")


def page_path(pages: Path, task: ShardTask) -> Path:
    """Where the page of a task lies."""
    return pages / f"{task.file}.json"


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImage(path, error.strerror or str(error)) from error
    if not data:
        raise UnreadableImage(path, "empty file")
    return data


def _shrink(data: bytes, path: Path, options: PackOptions) -> bytes | None:
    """The picture as a smaller JPEG, or None where its file is packed as it is."""
    side = options.max_side
    if side is not None:
        with open_image(data, name=str(path)) as encoded:
            if max(encoded.size) > side:
                picture = encoded.load(reduce=max(1, max(encoded.size) // side))
                picture.thumbnail((side, side), Image.Resampling.LANCZOS)
                buffer = io.BytesIO()
                picture.save(buffer, format="JPEG", quality=95, subsampling=0)
                return buffer.getvalue()
    if options.check:
        load_image(data, name=str(path))
    return None
