"""The directory of an attack as others read it: pictures, and what they were made against."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote_to_bytes

from sscd.attacks.record import AttackedPicture
from sscd.data.records import ImageSet
from sscd.errors import UserError

ATTACK_FILE = "attack.json"
MANIFEST_FILE = "manifest.jsonl"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Attack:
    """A finished attack.

    Attributes:
        directory: Where it lies.
        name: What the attacked network is called.
        model: Its fingerprint, as in the origin of descriptors.
        preprocessing: How its pictures are resized, as in the origin of descriptors.
        backbone: Its architecture.
        target_psnr: The PSNR that was asked for, dB.
        mean_psnr: The mean of what was measured of the saved files, dB.
        steps: Of Adam.
        records: What is known of each picture.
        pictures: The saved pictures, in the records' order, with the ids of their sources.
    """

    directory: Path
    name: str
    model: str
    preprocessing: str
    backbone: str
    target_psnr: float
    mean_psnr: float
    steps: int
    records: tuple[AttackedPicture, ...]
    pictures: ImageSet


def read_attack(directory: Path) -> Attack:
    """Read what `sscd attack` wrote.

    Args:
        directory: Its `--output`.

    Raises:
        UserError: It is no attack, is not finished, is damaged or lacks pictures.
    """
    content = read_attack_file(directory)
    if not content["finished"]:
        raise UserError(f"the attack in {directory} is not finished; run its command again")
    records = tuple(read_manifest(directory).values())
    gone = [record.file for record in records if not (directory / record.file).is_file()]
    if gone:
        raise UserError(
            f"{directory} lacks {gone[0]} ({len(gone):,} of {len(records):,} pictures); run the "
            "command of the attack again"
        )
    try:
        asked, summary = content["request"], content["summary"]
        attack = Attack(
            directory=directory,
            name=str(content["name"]),
            model=str(asked["model"]),
            preprocessing=str(asked["preprocessing"]),
            backbone=str(content["backbone"]),
            target_psnr=float(asked["psnr"]),
            mean_psnr=float(summary["psnr"]["mean"]),
            steps=int(asked["steps"]),
            records=records,
            pictures=ImageSet.from_names(
                "attacked pictures", root=directory, names=[os.fsencode(r.file) for r in records]
            ),
        )
        whole = summary["pictures"] == len(records) and attack.pictures.ids == [
            record.id for record in records
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(directory, f"{type(error).__name__} {error}") from error
    if not whole:
        raise _damaged(directory, f"{MANIFEST_FILE} and {ATTACK_FILE} do not agree")
    return attack


def read_attack_file(directory: Path) -> dict[str, Any]:
    """What `attack.json` of a directory says.

    Raises:
        UserError: It is missing or damaged.
    """
    path = directory / ATTACK_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror or error}; give a directory that `sscd attack` wrote"
        ) from error
    except ValueError as error:
        raise _damaged(directory, f"{ATTACK_FILE} is no JSON") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("request"), Mapping):
        raise _damaged(directory, f"{ATTACK_FILE} has no request")
    if content.get("format") != FORMAT:
        raise UserError(f"{path} has format {content.get('format')}; this version reads {FORMAT}")
    if not isinstance(content.get("finished"), bool):
        raise _damaged(directory, f"{ATTACK_FILE} does not say whether it is finished")
    return dict(content)


def read_manifest(directory: Path) -> dict[str, AttackedPicture]:
    """Id → record of the pictures that are finished; a line that was cut off is dropped.

    Of an id that comes twice the last line counts.

    Raises:
        UserError: The manifest cannot be read, or names a file outside its directory.
    """
    path = directory / MANIFEST_FILE
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; check that it may be read") from error
    records: dict[str, AttackedPicture] = {}
    for record in filter(None, map(AttackedPicture.parse, text.split("\n"))):
        if not _within(record.file):
            raise UserError(f"{path} names {record.file}, outside {directory}; make it anew")
        records.pop(record.id, None)
        records[record.id] = record
    return records


def file_of(image_id: str, *, suffix: str) -> str:
    """The file of a picture's id, relative to the directory: one that has that id there again.

    Args:
        image_id: As `ImageSet.id` gives it.
        suffix: Of the format, with its dot.

    Raises:
        UserError: It would lie outside the directory.

    >>> file_of("holiday%20photos/a", suffix=".png")
    'holiday photos/a.png'
    """
    name = os.fsdecode(unquote_to_bytes(image_id)) + suffix
    if not _within(name):
        raise UserError(
            f"picture {image_id} has no place below --output; give pictures by relative paths, or "
            "a folder of them"
        )
    return name


def _within(file: str) -> bool:
    parts = PurePosixPath(file).parts
    plain = "://" not in file and not PurePosixPath(file).is_absolute()
    return plain and bool(parts) and ".." not in parts and "\0" not in file


def _damaged(directory: Path, what: str) -> UserError:
    return UserError(f"the attack in {directory} is damaged: {what}; remove it and make it anew")
