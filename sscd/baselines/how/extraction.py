"""Pictures to visual words: to learn them, to be indexed, or to look for."""

from collections.abc import Iterator
from dataclasses import dataclass

from sscd.baselines.how.aggregation import PictureWords
from sscd.baselines.how.building import InvertedFileBuilder
from sscd.baselines.how.codebook import POINTS_A_WORD, Codebook, learn_codebook
from sscd.baselines.how.features import (
    features_of,
    require_pictures,
    sampled_features,
    some_pictures,
)
from sscd.baselines.how.inverted_file import InvertedFile
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.data.stopwatch import Stopwatch
from sscd.models.describer import Describer, DeviceName

_CODEBOOK_PICTURES = 20_000
"""Pictures that words are learnt from at most, as published."""


@dataclass(frozen=True, eq=False)
class Extraction:
    """How local descriptors are made.

    Attributes:
        describer: Of a network with `pooling: attention`.
        features: The most local descriptors of a picture.
        scales: Factors of a picture's sides.
        device: Where k-means runs, and the search for the nearest words.
        skipped: Takes note of what cannot be read.
        watch: Runs while pictures become words; not while words are learnt.
    """

    describer: Describer
    features: int
    scales: tuple[float, ...]
    device: DeviceName
    skipped: SkipLog
    watch: Stopwatch

    def learn(self, training: Pictures, *, words: int) -> Codebook:
        """Learn visual words on at most 20,000 pictures at scale 1.

        Raises:
            UserError: None can be read, they give too few local descriptors, or FAISS is missing.
        """
        points = sampled_features(
            self.describer,
            some_pictures(training, _CODEBOOK_PICTURES),
            limit=self.features,
            wanted=words * POINTS_A_WORD,
            skipped=self.skipped,
        )
        return learn_codebook(points, words, device=self.device)

    def index(self, pictures: Pictures, codebook: Codebook) -> tuple[InvertedFile, list[int]]:
        """The inverted file of the pictures that can be read, and where they stand.

        Raises:
            UserError: None can be read.
        """
        builder = InvertedFileBuilder(codebook.words, codebook.dims)
        for batch in self.words_of(pictures, codebook, assignments=1):
            for position, words in batch:
                builder.add(position, words)
        require_pictures(pictures, len(builder.pictures))
        return builder.finish(), sorted(builder.pictures)

    def words_of(
        self, pictures: Pictures, codebook: Codebook, *, assignments: int
    ) -> Iterator[list[tuple[int, PictureWords]]]:
        """Where pictures stand, and their visual words, batch by batch; in no order.

        Args:
            pictures: What to describe; unreadable ones are logged and left out.
            codebook: The words.
            assignments: Words that each local descriptor counts for.
        """
        batches = features_of(
            self.describer,
            pictures,
            scales=self.scales,
            limit=self.features,
            skipped=self.skipped,
        )
        while True:
            with self.watch.over(0):
                batch = next(batches, None)
                if batch is None:
                    return
                words = codebook.words_of(
                    batch.descriptors, assignments=assignments, device=self.device
                )
            self.watch.pictures += batch.size
            yield list(zip(batch.positions, words, strict=True))
