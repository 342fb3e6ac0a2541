"""A set of pictures to a directory of attacked ones, going on where it was interrupted."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from sscd.attacks.describing import DifferentiableDescriber
from sscd.attacks.directory import file_of
from sscd.attacks.journal import AttackJournal
from sscd.attacks.optimisation import AttackConfig, attack_pictures
from sscd.attacks.record import AttackedPicture
from sscd.attacks.saving import SUFFIXES, PictureFormat, measure, save_picture
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import to_uint8_tensor
from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet
from sscd.terminal import Work, working

ATTACK_VERSION = 1
"""Raise it when an attacked picture would look different: an attack is gone on with in one way."""

_PIXELS = 4_000_000
"""Of a batch: each takes about a kilobyte while its picture is optimised (measured, CPU)."""


@dataclass(frozen=True)
class AttackTask:
    """How a set is attacked and saved.

    Attributes:
        network: What is attacked, in evaluation mode, on `device`.
        inference: How its pictures are resized.
        device: Where it runs.
        config: How pictures are attacked.
        format: Of the files.
        quality: Of JPEG files.
        batch_size: Most pictures at once; large ones are fewer.
    """

    network: DescriptorNet
    inference: InferenceSize
    device: torch.device
    config: AttackConfig
    format: PictureFormat = "png"
    quality: int = 95
    batch_size: int = 16

    def request(self, *, model: str) -> dict[str, Any]:
        """What the pictures depend on, as JSON values.

        Args:
            model: The network's fingerprint.
        """
        return {
            "model": model,
            "preprocessing": f"{self.inference.size} {self.inference.mode}",
            **asdict(self.config),
            "format": self.format,
            "quality": self.quality if self.format == "jpeg" else None,
            "version": ATTACK_VERSION,
        }


@dataclass(frozen=True)
class Attacked:
    """What lies in the directory now.

    Attributes:
        records: Of all its pictures.
        made: How many were made by this call.
        skipped: Those that could not be read.
    """

    records: tuple[AttackedPicture, ...]
    made: int
    skipped: SkipLog

    def summary(self) -> dict[str, Any]:
        """Counts and means, as JSON values."""
        decibels = [record.psnr for record in self.records if record.psnr is not None]
        count = len(self.records)
        return {
            "pictures": count,
            "unreadable": len(self.skipped),
            "psnr": {
                "mean": sum(decibels) / max(len(decibels), 1),
                "min": min(decibels, default=None),
                "max": max(decibels, default=None),
            },
            "ssim": sum(record.ssim for record in self.records) / max(count, 1),
            "cosine": sum(record.cosine for record in self.records) / max(count, 1),
        }


class _Read(NamedTuple):
    image_id: str
    path: str
    digest: str
    image: Image.Image


def attack_set(pictures: Pictures, journal: AttackJournal, task: AttackTask) -> Attacked:
    """Attack the pictures of a set that are not there yet.

    Args:
        pictures: The set.
        journal: Of the directory.
        task: How.

    Raises:
        UserError: The directory cannot be used, or no picture of the set can be read.
    """
    journal.check()
    with journal.locked():
        records = journal.begin()
        skipped = SkipLog()
        made = 0
        with (
            working(f"attacking {pictures.name}", total=len(pictures)) as work,
            journal.recording() as record,
        ):
            unread = _read(pictures, records, skipped, work)
            for batch in _batches(unread, size=task.batch_size):
                for attacked in _attack(batch, task, journal.out):
                    record(attacked)
                    records[attacked.id] = attacked
                made += len(batch)
                work.advance(len(batch))
        if not records:
            raise UserError(f"no picture can be attacked: {skipped.summary(file=None)}")
        ordered = sorted(records.values(), key=lambda one: one.id)
        result = Attacked(tuple(ordered), made, skipped)
        journal.finish(ordered, result.summary())
    return result


def _read(
    pictures: Pictures,
    records: dict[str, AttackedPicture],
    skipped: SkipLog,
    work: Work,
) -> Iterator[_Read]:
    """The pictures that have no record, or whose file changed since."""
    for index in range(len(pictures)):
        image_id, path = pictures.id(index), str(pictures.path(index))
        try:
            source = pictures.source(index)
            data = source if isinstance(source, bytes) else _bytes(source)
            digest = hashlib.blake2b(data, digest_size=8).hexdigest()
            known = records.get(image_id)
            if known and known.digest == digest:
                work.advance(1)
                continue
            image = load_image(data, name=path)
        except UnreadableImage as error:
            skipped.add(path, error.reason)
            work.advance(1)
            continue
        yield _Read(image_id, path, digest, image)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImage(path, error.strerror or str(error)) from error


def _batches(read: Iterator[_Read], *, size: int) -> Iterator[list[_Read]]:
    batch: list[_Read] = []
    pixels = 0
    for one in read:
        more = one.image.width * one.image.height
        if batch and pixels + more > _PIXELS:
            yield batch
            batch, pixels = [], 0
        batch.append(one)
        pixels += more
        if len(batch) == size:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def _attack(batch: Sequence[_Read], task: AttackTask, out: Path) -> list[AttackedPicture]:
    attacked = attack_pictures(
        DifferentiableDescriber(task.network, task.inference),
        [to_uint8_tensor(one.image).to(task.device) for one in batch],
        [one.image_id for one in batch],
        task.config,
    )
    files = [file_of(one.image_id, suffix=SUFFIXES[task.format]) for one in batch]
    saved = [
        save_picture(picture.cpu(), out / file, format=task.format, quality=task.quality)
        for picture, file in zip(attacked, files, strict=True)
    ]
    measured = measure(
        saved,
        [one.image for one in batch],
        network=task.network,
        inference=task.inference,
        device=task.device,
    )
    return [
        AttackedPicture(
            id=one.image_id,
            source=one.path,
            file=file,
            digest=one.digest,
            target_psnr=task.config.psnr,
            psnr=found.psnr,
            ssim=found.ssim,
            cosine=found.cosine,
        )
        for one, file, found in zip(batch, files, measured, strict=True)
    ]
