"""The actor of the engine `ray`: holds the network and describes one partition a call."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sscd.data.records import Pictures
from sscd.describing.output import Output
from sscd.describing.partitions import PartitionDescriber
from sscd.errors import UserError
from sscd.models.describer import DescriberSpec

PARTITION_COLUMN, PICTURES_COLUMN, ERROR_COLUMN = "partition", "pictures", "error"


_ATTEMPTS = 6


class Attempts:
    """Counts how often each partition was begun, in an actor of its own.

    Ray starts a partition again however often its actor dies, since machines vanish; but what
    kills may be one of its pictures.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def begin(self, number: int) -> int:
        """Count an attempt; returns how many there were with this one."""
        self._counts[number] += 1
        return self._counts[number]


class PartitionActor:
    """Describes partitions and writes each to its part.

    Args:
        work: A reference to what describes, the pictures and the output, in a list, so that Ray
            fetches it on the actor's machine.
        attempts: The actor that counts them.
        threads: Of torch, on the CPU.
    """

    def __init__(self, work: Sequence[Any], attempts: Any, threads: int) -> None:
        import ray

        torch.set_num_threads(threads)
        spec: DescriberSpec
        pictures: Pictures
        output: Output
        spec, pictures, output = ray.get(work[0])
        # Forked workers would inherit the threads of Ray's own connections, and hang.
        self._describe = PartitionDescriber(spec.build(), pictures, output, start_method="spawn")
        self._begin: Callable[[int], int] = lambda number: ray.get(attempts.begin.remote(number))
        self._pictures = pictures
        self._output = output

    def __call__(self, batch: dict[str, NDArray[np.int64]]) -> dict[str, list[Any]]:
        """Describe the partitions of a batch, but for those that an actor wrote before it died.

        Returns:
            For each partition its number, how many pictures it has, and what its user must know:
            Ray would not carry an exception as it is.
        """
        numbers = [int(number) for number in batch[PARTITION_COLUMN]]
        return {
            PARTITION_COLUMN: numbers,
            PICTURES_COLUMN: [len(self._output.request.span(number)) for number in numbers],
            ERROR_COLUMN: [self._error(number) for number in numbers],
        }

    def _error(self, number: int) -> str:
        try:
            if not self._output.has(number):
                self._check_attempts(number)
                deque(self._describe([number]), maxlen=0)
        except UserError as error:
            return str(error)
        return ""

    def _check_attempts(self, number: int) -> None:
        if self._begin(number) > _ATTEMPTS:
            span = self._output.request.span(number)
            first, last = self._pictures.path(span[0]), self._pictures.path(span[-1])
            raise UserError(
                f"partition {number} lost its actor {_ATTEMPTS} times, perhaps for want of memory, "
                f"or by a picture from {first} to {last}; the other parts stay"
            )
