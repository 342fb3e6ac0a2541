"""`sscd export --model-only --training`: a network with the whitening of its descriptors in it."""

import contextlib
import copy
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sscd.commands.describing import DescribeOptions, SetDescriber, repeatable
from sscd.commands.postprocess import Steps
from sscd.data.descriptors import Descriptors
from sscd.errors import UserError
from sscd.evaluation.origins import check_same_origin
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.projection import DescriptorProjection
from sscd.search.postprocessing.projection import Projection
from sscd.terminal import remark, warn

_SET = "training"


@dataclass(frozen=True)
class LearntProjection:
    """A projection that becomes part of a network, as asked for on a command line.

    Attributes:
        training: Pictures that it is learnt on, or their descriptors.
        steps: What is learnt; only the projection and its dimensions count.
        describing: How the pictures are described.
        partition: Pictures of a part.
        processes: How many describe; None for one a GPU.
    """

    training: str
    steps: Steps
    describing: DescribeOptions
    partition: int
    processes: int | None

    @classmethod
    def asked(
        cls,
        training: str | None,
        steps: Steps,
        describing: DescribeOptions,
        partition: int,
        processes: int | None,
    ) -> "LearntProjection | None":
        """What a command line asks for; None where it asks for no projection.

        Raises:
            UserError: There are pictures and nothing to learn, or the reverse.
        """
        if training is None and steps.given:
            raise UserError("the projection is learnt on training pictures; give --training")
        if training is None:
            return None
        if not steps.given:
            raise UserError("--training is for a projection; leave it or --projection none out")
        return cls(training, steps, describing, partition, processes)


def with_projection(asked: LearntProjection, *, work: Path) -> TrainedNetwork | None:
    """Learn a projection on what a network makes of pictures, and put it behind the network.

    Args:
        asked: What to learn, and on what.
        work: Where descriptors are kept, so that an interrupted command goes on; removed after.

    Returns:
        The network, which describes projected; None for ranks other than 0. What was known of its
        scores is left out, for they were of the descriptors before.

    Raises:
        UserError: The pictures cannot be described, they are too few, or the network has a
            projection already.
    """
    describer = SetDescriber(asked.describing, work, asked.partition, asked.processes)
    trained = describer.trained
    if trained.network.projection is not None:
        raise UserError(
            f"--training {asked.training}: {asked.describing.checkpoint} has a projection already; "
            "give the checkpoint that it was exported from"
        )
    if trained.network.config.pooling == "attention":
        raise UserError(
            f"--training {asked.training}: {asked.describing.checkpoint} describes cells too; "
            "a projection of pictures is not for them, leave it out"
        )
    dims = asked.steps.projected_dims(trained.network.dims)
    learnt_on = _described(asked, describer, dims=dims)
    if learnt_on is None:
        return None
    kind = asked.steps.projection or "whiten"
    try:
        learnt = Projection.fit(learnt_on.vectors, kind=kind, dims=dims)
    except ValueError as error:
        raise UserError(f"--training {asked.training}: {error}") from error
    network = copy.deepcopy(trained.network)
    network.projection = DescriptorProjection(
        torch.from_numpy(learnt.mean), torch.from_numpy(learnt.matrix)
    )
    facts = {
        "kind": kind,
        "from_dims": trained.network.dims,
        "dims": learnt.dims,
        "pictures": len(learnt_on.ids),
        "data": Path(asked.training).name,
    }
    if trained.threshold is not None:
        remark("the checkpoint's threshold is of descriptors before the projection: it is left out")
    shutil.rmtree(work / _SET, ignore_errors=True)
    with contextlib.suppress(OSError):  # other files of the user's stay
        work.rmdir()
    return replace(
        trained,
        network=network.eval(),
        projection=facts,
        threshold=None,
        stricter=None,
        calibration=None,
    )


def _described(
    asked: LearntProjection, describer: SetDescriber, *, dims: int
) -> Descriptors | None:
    """Descriptors of the training pictures, of the network alone."""
    opened = describer.open(asked.training, name=_SET)
    least = {"center": 1, "pca": dims}.get(asked.steps.projection or "", dims + 1)
    if opened is not None and len(opened.pictures) < least:
        raise UserError(
            f"a projection to {dims} dimensions needs {least} training pictures; {asked.training} "
            f"has {len(opened.pictures)}: add pictures or lower --dims"
        )
    with repeatable():
        found = describer.describe(asked.training, opened, name=_SET, side="reference")
    if found is None:
        return None
    names = ("the checkpoint", "the training descriptors")
    if line := check_same_origin(describer.spec.origin, found.origin, names=names):
        warn(line)
    if opened is not None:
        describer.say_failures(describer.work)
    return found
