"""What is to be described, and how it is cut into partitions."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from sscd.data.descriptors import Origin
from sscd.data.pictures.sources import PictureSource
from sscd.errors import UserError
from sscd.formats.parquet.writing import FORMAT, VERSION
from sscd.models.describer import DescriberSpec

PARTITION = 4096
"""Pictures of a partition: 4 MiB of 256-d descriptors, and a minute's work or so."""

_CALLED = {
    "pictures": "the number of pictures",
    "ids": "the pictures' ids",
    "model": "the model",
    "partition": "--partition",
}


@dataclass(frozen=True)
class DescribeRequest:
    """All that the descriptors and their partitions depend on.

    Attributes:
        source: Where the pictures come from.
        pictures: How many they are.
        ids: Digest of their ids, in order.
        model: Fingerprint of the network.
        preprocessing: How pictures are resized.
        dims: Length of a descriptor.
        partition: Pictures of a partition; the last one may have fewer.
    """

    source: str
    pictures: int
    ids: str
    model: str
    preprocessing: str
    dims: int
    partition: int

    @classmethod
    def of(cls, source: PictureSource, spec: DescriberSpec, *, partition: int) -> Self:
        """The request for a source and what describes it.

        Raises:
            UserError: The partition is not positive.
        """
        if partition < 1:
            raise UserError(f"--partition {partition}: give at least 1 picture")
        ids = source.pictures.ids
        digest = hashlib.blake2b("\n".join(ids).encode(), digest_size=16)
        return cls(
            source=source.location,
            pictures=len(ids),
            ids=digest.hexdigest(),
            model=spec.origin.model,
            preprocessing=spec.origin.preprocessing,
            dims=spec.dims,
            partition=partition,
        )

    @property
    def origin(self) -> Origin:
        """What the descriptors say of their making."""
        return Origin(model=self.model, preprocessing=self.preprocessing)

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return -(-self.pictures // self.partition)

    def span(self, number: int) -> range:
        """The positions of a partition's pictures."""
        start = number * self.partition
        return range(start, min(start + self.partition, self.pictures))

    def encode(self) -> bytes:
        """The request as a file of JSON."""
        table = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return (json.dumps(table, indent=1) + "\n").encode()

    def difference(self, before: Mapping[str, Any]) -> str | None:
        """How this differs from a request that was written before; None where it does not."""
        now = json.loads(self.encode())
        for key, value in now.items():
            if before.get(key) != value:
                return f"{_CALLED.get(key, key)} was {before.get(key)} and is {value}"
        return None
