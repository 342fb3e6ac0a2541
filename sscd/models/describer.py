"""Pictures to descriptors with a trained network, for every command that describes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Self, get_args

import numpy as np
import torch

from sscd.augment.inference import InferenceSize
from sscd.data.descriptors import Descriptors, Origin
from sscd.data.hardware import cpu
from sscd.data.loading.datasets import InferencePictures
from sscd.data.pictures.groups import dealt_batches
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.models.described import DescribedBatch, DescribingLoader
from sscd.models.descriptor import DescriptorNet
from sscd.models.fingerprint import network_fingerprint
from sscd.terminal import working

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
        index: int = 0,
    ) -> Self:
        """Put the network on its device, ready to describe.

        Args:
            network: What describes.
            inference: How pictures are resized.
            batch_size: Pictures at once.
            workers: Processes that decode.
            device: Where it runs.
            index: Which of the GPUs, where it runs on one; counted round.

        Raises:
            UserError: There is no such device.
        """
        on = choose_device(device, index=index)
        return cls(network.to(on).eval(), inference, on, batch_size, workers)

    @property
    def hardware(self) -> str:
        """What the network runs on."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return cpu(torch.get_num_threads(), "thread")

    @cached_property
    def origin(self) -> Origin:
        """What the descriptors say of their making."""
        return origin_of(self.network, self.inference)

    def loader(self, pictures: Pictures, *, start_method: str | None = None) -> DescribingLoader:
        """What describes batches of a set, with workers that stay between calls.

        Args:
            pictures: The set.
            start_method: How worker processes start, as in `multiprocessing`.
        """
        return DescribingLoader(
            self.network,
            InferencePictures(pictures, self.inference),
            device=self.device,
            workers=self.workers,
            start_method=start_method,
        )

    def __call__(self, images: Pictures) -> Descriptors:
        """Describe a set, with a progress bar; unreadable pictures are logged and left out.

        Raises:
            UserError: No picture of the set can be read.
        """
        batches = [batch for batch in self._batches(images) if len(batch.positions)]
        if not batches:
            first = f", for example {images.path(0)}" if len(images) else ""
            raise UserError(f"no picture of {images.name} can be read{first}; are they pictures?")
        positions = np.concatenate([batch.positions for batch in batches])
        order = np.argsort(positions)
        ids = [images.id(int(place)) for place in positions[order]]
        vectors = np.concatenate([batch.vectors for batch in batches])[order]
        return Descriptors(ids, vectors, self.origin)

    def _batches(self, images: Pictures) -> Iterator[DescribedBatch]:
        order = dealt_batches(range(len(images)), size=self.batch_size, workers=self.workers)
        with working(f"describing {images.name}", total=len(images)) as work:
            for batch in self.loader(images)(order):
                for item in batch.unreadable:
                    self.skipped.add(item.path, item.reason)
                yield batch
                work.advance(batch.size)


@dataclass(frozen=True)
class DescriberSpec:
    """What a describer is made of; it can be sent to other processes and machines.

    Attributes:
        network: On the CPU.
        inference: How pictures are resized.
        batch_size: Pictures at once.
        workers: Processes that decode, for each describer.
        device: Where it runs.
    """

    network: DescriptorNet
    inference: InferenceSize
    batch_size: int = 64
    workers: int = 4
    device: DeviceName = "auto"

    @cached_property
    def origin(self) -> Origin:
        """What the descriptors say of their making."""
        return origin_of(self.network, self.inference)

    @property
    def dims(self) -> int:
        """Length of a descriptor."""
        return self.network.dims

    def build(self, *, index: int = 0) -> Describer:
        """Put the network on its device, ready to describe.

        Args:
            index: Which of the GPUs, where it runs on one; counted round.

        Raises:
            UserError: There is no such device.
        """
        return Describer.build(
            self.network,
            self.inference,
            batch_size=self.batch_size,
            workers=self.workers,
            device=self.device,
            index=index,
        )


def choose_device(name: DeviceName, *, index: int = 0) -> torch.device:
    """The device of a name.

    Args:
        name: What was asked for.
        index: Which of the GPUs; counted round.

    Raises:
        UserError: There is no such device.
        ValueError: It is none of the names.
    """
    if name not in get_args(DeviceName):
        raise ValueError(f"device got {name!r}; expected one of {', '.join(get_args(DeviceName))}")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError("--device cuda: torch sees no CUDA device; use --device cpu")
    return torch.device("cuda", index % torch.cuda.device_count())


def origin_of(network: DescriptorNet, inference: InferenceSize) -> Origin:
    """What descriptors of a network at a size say of their making."""
    return Origin(
        model=network_fingerprint(network), preprocessing=f"{inference.size} {inference.mode}"
    )
