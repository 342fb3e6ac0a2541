"""HOW's local descriptors, searched by ASMK, as a system of the comparison."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch

from sscd.augment.inference import InferenceSize
from sscd.baselines.how.aggregation import PictureWords
from sscd.baselines.how.codebook import WORDS, Codebook
from sscd.baselines.how.extraction import Extraction
from sscd.baselines.how.features import require_pictures
from sscd.baselines.how.index_file import SavedIndex, read_index, write_index
from sscd.baselines.how.inverted_file import InvertedFile
from sscd.baselines.how.ranking import Ranker
from sscd.baselines.how.selectivity import Selectivity
from sscd.baselines.system import Found
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.data.stopwatch import Stopwatch
from sscd.errors import UserError
from sscd.models.describer import Describer, DeviceName
from sscd.models.descriptor import DescriptorNet
from sscd.models.local_features import LIMIT, SCALES
from sscd.search.postprocessing.neighbourhood import Neighbourhood

HOW_SIZE = InferenceSize(1024, "long_side")
_NORM = Neighbourhood(2.0, 9, 9)  # DISC21 paper, section 5.2: (β, n) = (2, 10)
_QUERIES = 1024  # described before they are searched, so that neither is timed with the other


class HowSystem:
    """Local descriptors as visual words with binary signatures, in an inverted file.

    Args:
        network: With `pooling: attention`.
        inference: How pictures are resized; as published at most 1024 pixels wide and high.
        words: Visual words to learn.
        features: The most local descriptors of a picture.
        scales: Factors of a picture's sides.
        assignments: Words that each local descriptor of a query counts for; one of a reference
            counts for one.
        alpha: Exponent α of the selectivity.
        threshold: Its threshold τ.
        batch_size: Pictures at once.
        workers: Processes that decode.
        device: Where the network and k-means run.
        skipped: Takes note of what cannot be read.

    Raises:
        UserError: The network has no local descriptors, `words`, `features` or `assignments` is not
            positive, or there is no such device.
        ValueError: Another number is out of its range.
    """

    name = "HOW + ASMK"
    dims: int | None = None
    norm = _NORM

    def __init__(
        self,
        network: DescriptorNet,
        *,
        inference: InferenceSize = HOW_SIZE,
        words: int = WORDS,
        features: int = LIMIT,
        scales: Sequence[float] = SCALES,
        assignments: int = 5,
        alpha: float = 3.0,
        threshold: float = 0.0,
        batch_size: int = 4,
        workers: int = 4,
        device: DeviceName = "auto",
        skipped: SkipLog | None = None,
    ) -> None:
        if network.config.pooling != "attention":
            raise UserError(
                "HOW needs a network with local descriptors, and this one pools by "
                f"{network.config.pooling}; train one with `sscd train --config how`, or give "
                "the published checkpoint"
            )
        for name, number in (
            ("words", words),
            ("features", features),
            ("assignments", assignments),
        ):
            if number < 1:
                raise UserError(f"{name} got {number}; expected at least 1")
        self.watch = Stopwatch()
        self.reference_ids: Sequence[str] = ()
        self.skipped = SkipLog() if skipped is None else skipped
        self._extraction = Extraction(
            Describer.build(
                network, inference, batch_size=batch_size, workers=workers, device=device
            ),
            features=features,
            scales=tuple(scales),
            device=device,
            skipped=self.skipped,
            watch=self.watch,
        )
        self.hardware = self._extraction.describer.hardware
        self._selectivity = Selectivity(alpha, threshold)
        self._words, self._assignments = words, assignments
        self._codebook: Codebook | None = None
        self._training: InvertedFile | None = None
        self._references: InvertedFile | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        network: DescriptorNet,
        *,
        assignments: int = 5,
        alpha: float = 3.0,
        threshold: float = 0.0,
        batch_size: int = 4,
        workers: int = 4,
        device: DeviceName = "auto",
        skipped: SkipLog | None = None,
    ) -> Self:
        """A system that has learnt and indexed, from the file that `save` wrote.

        Queries are resized and described as the references in it were.

        Args:
            path: The file.
            network: The very network that described the references.
            assignments: As of the constructor, with all that follows.
            alpha: Exponent α.
            threshold: Threshold τ.
            batch_size: Pictures at once.
            workers: Processes that decode.
            device: Where the network runs.
            skipped: Takes note of what cannot be read.

        Raises:
            UserError: The file is absent, damaged or of another network.
        """
        saved = read_index(path)
        system = cls(
            network,
            inference=saved.inference,
            words=saved.codebook.words,
            features=saved.features,
            scales=saved.scales,
            assignments=assignments,
            alpha=alpha,
            threshold=threshold,
            batch_size=batch_size,
            workers=workers,
            device=device,
            skipped=skipped,
        )
        own = system._extraction.describer.origin.model
        if saved.model != own:
            raise UserError(
                f"{path} was made with network {saved.model}, and this one is {own}; give "
                "the --checkpoint that it was made with, or index the references again"
            )
        system._require_training(saved.training.count)
        system._codebook, system._training = saved.codebook, saved.training
        system._references, system.reference_ids = saved.references, saved.reference_ids
        return system

    def save(self, path: Path) -> None:
        """Write what was learnt and indexed, to be searched later.

        Raises:
            UserError: It cannot be written.
            ValueError: Nothing was indexed.
        """
        if self._codebook is None or self._training is None or self._references is None:
            raise ValueError("an index is saved after learn() and index()")
        saved = SavedIndex(
            codebook=self._codebook,
            training=self._training,
            references=self._references,
            reference_ids=self.reference_ids,
            model=self._extraction.describer.origin.model,
            inference=self._extraction.describer.inference,
            features=self._extraction.features,
            scales=self._extraction.scales,
        )
        write_index(path, saved)

    def learn(self, training: Pictures) -> None:
        """Learn visual words on 20,000 pictures at most, and index all of them; see `System`."""
        self._require_training(len(training))
        codebook = self._extraction.learn(training, words=self._words)
        known, _ = self._extraction.index(training, codebook)
        self._require_training(known.count)
        self._codebook, self._training = codebook, known

    def index(self, references: Pictures) -> None:
        """Build the inverted file of the references; see `System`."""
        self._references, positions = self._extraction.index(references, self._learnt())
        self.reference_ids = [references.id(position) for position in positions]

    def search(self, queries: Pictures, *, limit: int) -> Found:
        """Find the best pairs without and with normalisation; see `System`.

        Pairs whose visual words do not agree at all have score 0 and are not listed.
        """
        if self._references is None or self._training is None:
            raise ValueError("a search comes after learn() and index()")
        ranker = Ranker.build(
            self._references,
            self._training,
            queries=len(queries),
            selectivity=self._selectivity,
            norm=self.norm,
            limit=limit,
        )
        rows: list[int] = []
        for block in self._blocks_of(queries):
            rows += [row for row, _ in block]
            ranker.add(block, threads=torch.get_num_threads())
        require_pictures(queries, len(rows))
        plain, normalised = ranker.pairs(np.sort(np.array(rows)))
        return Found([queries.id(row) for row in sorted(rows)], plain, normalised)

    def _blocks_of(self, queries: Pictures) -> Iterator[list[tuple[int, PictureWords]]]:
        codebook = self._learnt()
        block: list[tuple[int, PictureWords]] = []
        for batch in self._extraction.words_of(queries, codebook, assignments=self._assignments):
            block += batch
            if len(block) >= _QUERIES:
                yield block
                block = []
        yield block

    def _require_training(self, pictures: int) -> None:
        if pictures <= self.norm.last:
            raise UserError(
                f"score normalisation {self.norm} needs {self.norm.last + 1} training pictures, "
                f"got {pictures}; add some"
            )

    def _learnt(self) -> Codebook:
        if self._codebook is None:
            raise ValueError("an index comes after learn()")
        return self._codebook
