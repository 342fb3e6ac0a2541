"""The directory of a description: its request, the parts that are finished, what was unreadable.

describe.json                          the request
part-00000-of-00245.parquet            descriptors of the first partition
part-00000-of-00245.unreadable.tsv     its pictures that could not be read, if any: written first
unreadable.tsv                         those of all partitions, written last
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.data.skipped import SkipLog
from sscd.describing.failures import Failure, decode_failures, encode_failures
from sscd.describing.places import Place, open_place
from sscd.describing.request import DescribeRequest
from sscd.errors import UserError
from sscd.formats.parquet.writing import REQUEST_FILE, PartInfo, encode_part, part_name

UNREADABLE_FILE = "unreadable.tsv"


@dataclass(frozen=True)
class Described:
    """What lies in a directory that is finished.

    Attributes:
        location: The directory.
        request: What was asked for.
        failures: The pictures without a descriptor.
        made: The partitions that this call found missing.
    """

    location: str
    request: DescribeRequest
    failures: tuple[Failure, ...]
    made: int

    @property
    def described(self) -> int:
        """How many pictures have a descriptor."""
        return self.request.pictures - len(self.failures)

    @property
    def summary(self) -> str:
        """One line on the failures; empty where there is none."""
        log = SkipLog()
        for failure in self.failures:
            log.add(failure.path, failure.reason)
        return log.summary(file=f"{self.location}/{UNREADABLE_FILE}")


class Output:
    """Where the parts of one request are written, by any number of processes at once.

    Args:
        location: Path or URL of a directory that is empty, missing, or of the same request.
        request: What is asked for.
    """

    def __init__(self, location: str, request: DescribeRequest) -> None:
        self.place: Place = open_place(location)
        self.request = request

    def claim(self) -> None:
        """Write down the request, or find that it is the one that was begun here.

        Raises:
            UserError: The directory holds another one or other files, or cannot be written.
        """
        where = self.place.location
        data = self.place.read(REQUEST_FILE)
        if data is None:
            names = self.place.names() - {REQUEST_FILE}
            if names:
                raise UserError(
                    f"{where} holds {min(names)} ({len(names)} entries) and no {REQUEST_FILE}; "
                    "give a directory that is empty or not there"
                )
            self.place.write(REQUEST_FILE, self.request.encode())
            data = self.place.read(REQUEST_FILE) or b""  # another process may have been quicker
        try:
            before = dict(json.loads(data))
        except (ValueError, TypeError) as error:
            raise UserError(f"{where}/{REQUEST_FILE} is damaged; give another directory") from error
        if found := self.request.difference(before):
            raise UserError(
                f"{where} was begun with another request ({found}); repeat that one, give another "
                "directory, or delete this one"
            )

    def missing(self) -> list[int]:
        """The partitions that are not finished."""
        names = self.place.names()
        count = self.request.partitions
        return [number for number in range(count) if part_name(number, count) not in names]

    def has(self, number: int) -> bool:
        """Whether a partition is finished."""
        return self.place.has(part_name(number, self.request.partitions))

    def write_part(
        self,
        number: int,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        failures: Sequence[Failure],
    ) -> None:
        """Write a finished partition.

        Args:
            number: Which.
            ids: n ids.
            vectors: (n, D).
            failures: Its other pictures.

        Raises:
            UserError: It cannot be written.
        """
        request = self.request
        info = PartInfo(
            origin=request.origin,
            dims=request.dims,
            partition=number,
            partitions=request.partitions,
            source=request.source,
            pictures=len(request.span(number)),
            unreadable=len(failures),
        )
        listing = self._listing(number)
        if failures:
            self.place.write(listing, encode_failures(failures))
        else:  # it may be there of an earlier attempt
            self.place.remove(listing)
        data = encode_part(ids, vectors, info)
        self.place.write(part_name(number, request.partitions), data)

    def finish(self, *, made: int) -> Described:
        """Gather what was unreadable, when all parts are there.

        Args:
            made: The partitions that were missing when the call began.

        Raises:
            UserError: The listing cannot be written, or no picture could be read.
        """
        names = self.place.names()
        listings = [self._listing(number) for number in range(self.request.partitions)]
        data = b"".join(self.place.read(name) or b"" for name in listings if name in names)
        if data and self.place.read(UNREADABLE_FILE) != data:
            self.place.write(UNREADABLE_FILE, data)
        elif not data and UNREADABLE_FILE in names:
            self.place.remove(UNREADABLE_FILE)
        if made:
            self.place.tidy()
        result = Described(self.place.location, self.request, decode_failures(data), made)
        if not result.described:
            raise UserError(f"nothing of {self.request.source} was described: {result.summary}")
        return result

    def _listing(self, number: int) -> str:
        name = part_name(number, self.request.partitions)
        return f"{name.removesuffix('.parquet')}.{UNREADABLE_FILE}"
