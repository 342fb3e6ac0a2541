"""Pictures to descriptors with a trained network, for every command that describes."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from sscd.augment.inference import InferenceSize
from sscd.data.datasets import InferencePictures, PictureBatch, Unreadable, collate_pictures
from sscd.data.descriptors import Descriptors
from sscd.data.loader import make_loader
from sscd.data.records import ImageSet
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.models.describe import describe
from sscd.models.descriptor import DescriptorNet
from sscd.terminal import progress

DeviceName = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Describer:
    """A network with all that turns pictures to descriptors, and a log of what it could not read.

    Attributes:
        network: In evaluation mode, on `device`.
        inference: How pictures are resized.
        device: Where it runs.
        batch_size: Pictures at once.
        workers: Processes that decode.
        skipped: What could not be read so far.
    """

    network: DescriptorNet
    inference: InferenceSize
    device: torch.device
    batch_size: int
    workers: int
    skipped: SkipLog = field(default_factory=SkipLog)

    @classmethod
    def build(
        cls,
        network: DescriptorNet,
        inference: InferenceSize,
        *,
        batch_size: int = 64,
        workers: int = 4,
        device: DeviceName = "auto",
    ) -> Self:
        """Put the network on its device, ready to describe.

        Raises:
            UserError: There is no such device.
        """
        on = _device(device)
        return cls(network.to(on).eval(), inference, on, batch_size, workers)

    @property
    def hardware(self) -> str:
        """What the network runs on."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return (
            f"CPU ({platform.processor() or platform.machine()}, {torch.get_num_threads()} threads)"
        )

    def __call__(self, images: ImageSet) -> Descriptors:
        """Describe a set, with a progress bar; unreadable pictures are logged and left out.

        Raises:
            UserError: No picture of the set can be read.
        """
        positions: list[NDArray[np.int64]] = []
        vectors: list[NDArray[np.float32]] = []
        for batch in self._batches(images):
            with torch.inference_mode():
                described = describe(self.network, batch.pictures, device=self.device)
            positions.append(batch.positions.numpy())
            vectors.append(described.float().cpu().numpy())
        if not positions:
            raise UserError(f"no picture of {images.root} can be read; are they pictures?")
        ids = [images.id(int(place)) for place in np.concatenate(positions)]
        return Descriptors(ids, np.concatenate(vectors))

    def _batches(self, images: ImageSet) -> Iterator[PictureBatch]:
        dataset = InferencePictures(images, self.inference)
        loader = make_loader(
            dataset, collate_pictures, workers=self.workers, batch_size=self.batch_size
        )
        with progress() as bar:
            task = bar.add_task(f"describing {images.name}", total=len(images))
            for batch in loader:
                self._note(batch.unreadable)
                if batch.pictures:
                    yield batch
                bar.advance(task, len(batch.pictures) + len(batch.unreadable))

    def _note(self, unreadable: tuple[Unreadable, ...]) -> None:
        for item in unreadable:
            self.skipped.add(item.path, item.reason)


def _device(name: DeviceName) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch sees no CUDA device; use --device cpu")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)
