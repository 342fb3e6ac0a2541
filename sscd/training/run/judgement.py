"""A validation as a judged system: what its report and its file are made of."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from lightning.pytorch import Trainer

import sscd
from sscd.data.records import Collection
from sscd.errors import UserError
from sscd.evaluation.edit_records import Operations, read_edits
from sscd.evaluation.judged import Judged
from sscd.models.describer import origin_of
from sscd.terminal import warn
from sscd.training.run.git_state import git_state
from sscd.training.run.run_directory import RunDirectory


class ValidationJudge:
    """Makes a `Judged` of each validation of a run.

    Args:
        run: The run directory, whose name the system has.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._edits: Mapping[str, Operations] | None = None
        self._edits_are_read = False

    def judge(self, trainer: Trainer, detector: Any) -> Judged | None:
        """The validation that has just ended, on rank 0; None where nothing was judged.

        Its origin hashes all weights, tenths of a second for a ResNet-50.

        Args:
            trainer: With its data module.
            detector: A `CopyDetector`.
        """
        evaluation = detector.evaluation
        if evaluation is None:
            return None
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        collection: Collection = data.collection
        return Judged(
            system=self._run.path.absolute().name,
            data=data.set_name,
            evaluation=evaluation,
            truth=collection.truth,
            edits=self._edits_of(collection),
            origin=origin_of(detector.network, detector.inference),
            query_pictures=str(collection.queries.root.absolute()),
            reference_pictures=str(collection.references.root.absolute()),
            facts={
                "checkpoint": str(self._run.best.absolute()),
                "step": str(trainer.global_step),
                "epoch": str(trainer.current_epoch),
                **self._code,
            },
        )

    @cached_property
    def _code(self) -> dict[str, str]:
        return code_facts()

    def _edits_of(self, collection: Collection) -> Mapping[str, Operations] | None:
        if not self._edits_are_read:
            self._edits, self._edits_are_read = edits_of(collection), True
        return self._edits


def code_facts() -> dict[str, str]:
    """The version of sscd, and the commit of the directory where there is one."""
    state = git_state()
    if state is None:
        return {"sscd": sscd.__version__}
    dirty = ", with changes" if state.dirty else ""
    return {"sscd": sscd.__version__, "commit": f"{state.commit}{dirty}"}


def edits_of(collection: Collection) -> Mapping[str, Operations] | None:
    """The edits of a collection's queries; None where they are not known, or of no copy of it."""
    if collection.edits is None:
        return None
    try:
        edits = read_edits(collection.edits)
    except UserError as error:
        warn(f"{error}; no figures by edit")
        return None
    if any(query in edits for query, _ in collection.truth.pairs):
        return edits
    warn(f"{collection.edits} names none of the copies; no figures by edit")
    return None
