"""Partitions of a set of pictures to parts on disk, with one loader for all of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sscd.data.pictures.groups import dealt_batches
from sscd.data.pictures.remote import readable
from sscd.data.records import Pictures
from sscd.describing.failures import Failure
from sscd.describing.output import Output
from sscd.models.described import DescribedBatch
from sscd.models.describer import Describer


class PartitionDescriber:
    """Describes partitions one after the other; may be called again, with the same workers.

    Args:
        describer: What describes.
        pictures: The whole set.
        output: Where parts are written.
        start_method: How workers that decode start, as in `multiprocessing`.
    """

    def __init__(
        self,
        describer: Describer,
        pictures: Pictures,
        output: Output,
        *,
        start_method: str | None = None,
    ) -> None:
        self._describer = describer
        self._pictures = pictures
        self._output = output
        self._loader = describer.loader(pictures, start_method=start_method)

    def __call__(self, numbers: Sequence[int]) -> Iterator[int]:
        """Describe partitions and write each when it is finished.

        Workers decode the beginning of a partition while the one before is described.

        Yields:
            How many pictures were done, batch by batch.

        Raises:
            UserError: A part cannot be written, or the source of pictures fails as a whole.
        """
        size, workers = self._describer.batch_size, self._describer.workers
        spans = [self._output.request.span(number) for number in numbers]
        order = (batch for s in spans for batch in dealt_batches(s, size=size, workers=workers))
        described = self._loader(order)
        for number, span in zip(numbers, spans, strict=True):
            batches: list[DescribedBatch] = []
            while sum(batch.size for batch in batches) < len(span):
                batch = next(described)
                batches.append(batch)
                yield batch.size
            self._write(number, batches)

    def _write(self, number: int, batches: Sequence[DescribedBatch]) -> None:
        positions = np.concatenate([batch.positions for batch in batches])
        vectors = np.concatenate([batch.vectors for batch in batches])
        order = np.argsort(positions)
        unreadable = (item for batch in batches for item in batch.unreadable)
        self._output.write_part(
            number,
            ids=[self._pictures.id(int(place)) for place in positions[order]],
            vectors=vectors[order],
            failures=[
                Failure(self._pictures.id(item.position), readable(Path(item.path)), item.reason)
                for item in sorted(unreadable, key=lambda item: item.position)
            ],
        )
