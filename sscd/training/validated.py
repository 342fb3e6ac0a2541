"""The validation half of the Lightning module: descriptors of all ranks, judged by micro-AP."""

from typing import Any

import torch
from torch import Tensor, distributed

from sscd.augment.inference import InferenceSize
from sscd.data.descriptors import Descriptors
from sscd.data.loading.datasets import PictureBatch
from sscd.data.records import Collection, ImageSet
from sscd.evaluation.figures import CopyFigures
from sscd.evaluation.protocol import Evaluation, evaluate_descriptors
from sscd.models.describe import describe
from sscd.training.ranks.gather_to_first import answer_of_first, gather_to_first
from sscd.training.record import record_of
from sscd.training.start import StartedModule

_Described = tuple[Tensor, Tensor]  # positions (B,) and descriptors (B, D)


class ValidatedModule(StartedModule):
    """A module whose network is validated as a copy detector.

    Args:
        neighbours: Candidates of each query (SSCD's protocol takes 10).

    Attributes:
        inference: How validation pictures are resized.
        evaluation: The last one, on rank 0.
        figures: Of the last validation as a checkpoint keeps them, the same on every rank.
        keeps_descriptors: Whether `described` is filled.
        described: Queries and references of the last validation, on rank 0, until somebody takes
            them.

    Raises:
        ValueError: There are too few neighbours.
    """

    inference: InferenceSize

    def __init__(self, *, neighbours: int) -> None:
        super().__init__()
        if neighbours < 10:
            raise ValueError(f"neighbours got {neighbours}; expected at least 10, for recall at 10")
        self.neighbours = neighbours
        self.evaluation: Evaluation | None = None
        self.figures: dict[str, Any] = {}
        self.keeps_descriptors = False
        self.described: tuple[Descriptors, Descriptors] | None = None
        self._described: tuple[list[_Described], list[_Described]] = ([], [])

    def on_validation_epoch_start(self) -> None:
        """Forget the last descriptors, and let all ranks describe with rank 0's network.

        Without synchronised batch norm each rank's running statistics are of its own pictures, and
        only those of rank 0 are saved.
        """
        self._described = ([], [])
        if distributed.is_initialized():
            for buffer in self.network.buffers():
                distributed.broadcast(buffer, src=0)

    def validation_step(
        self,
        batch: PictureBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Describe one batch of references (loader 0) or queries (loader 1)."""
        if len(batch.pictures):
            described = describe(self.network, batch.pictures, device=self.device)
            self._described[dataloader_idx].append((batch.positions, described.float().cpu()))

    def on_validation_epoch_end(self) -> None:
        """Search, score and log micro-AP and its relatives over the pictures of all ranks."""
        collection: Collection = self.trainer.datamodule.collection  # type: ignore[attr-defined]
        references = self._gather(0, collection.references)
        queries = self._gather(1, collection.queries)

        def evaluate() -> CopyFigures | None:
            if references is None or queries is None:
                return None
            if self.keeps_descriptors:
                self.described = queries, references
            with torch.inference_mode(False):  # the search's threads do not inherit it
                self.evaluation = evaluate_descriptors(
                    queries, references, collection.truth, k=self.neighbours
                )
            return self.evaluation.figures

        figures: CopyFigures | None = answer_of_first(evaluate)
        if figures is not None:
            self.figures = record_of(figures, self)
            values = figures.as_log()
            self.log_dict({f"val/{key}": value for key, value in values.items()})
            self.log("μAP", values["micro_ap"], prog_bar=True, logger=False)

    def _gather(self, loader: int, images: ImageSet) -> Descriptors | None:
        """One validation set's descriptors from all ranks, each picture once; on rank 0 alone."""
        described = self._described[loader]
        dims = self.network.config.dims
        # Collectives want the device of the process group's backend.
        placed = gather_to_first(described, count=len(images), dims=dims, device=self.device)
        described.clear()
        if placed is None:
            return None
        ids = [images.id(int(place)) for place in placed.positions]
        return Descriptors(ids, placed.rows.numpy())
