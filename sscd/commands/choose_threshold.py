"""From which score on two pictures are called copies: given, or learnt from an evaluation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.evaluation.calibration import Calibration, read_calibration
from sscd.evaluation.origins import check_same_origin
from sscd.formats.descriptor_files import holds_descriptors
from sscd.models.box.model import box_is_there
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.fingerprint import network_fingerprint
from sscd.terminal import warn

CALIBRATION_FILE = "calibration.json"
_GIVE = (
    "give --threshold SCORE, or --calibration FILE, which `sscd evaluate … --calibration FILE` "
    "writes on queries whose sources are known"
)


@dataclass(frozen=True)
class ThresholdOptions:
    """How the threshold was asked for on a command line.

    Attributes:
        threshold: The score itself; None to learn it.
        precision: Share of accepted pairs that shall be right.
        calibration: What `sscd evaluate --calibration` wrote; None to look beside the checkpoint.
        copies: Expected share of queries that are copies; None for that of the calibration.
        learnt_on: What made the descriptors that the threshold or the calibration was learnt on,
            where a network carries it; None where a person gave it.
        named: Whether a person named that network; otherwise it came with the package.
    """

    threshold: float | None
    precision: float
    calibration: Path | None
    copies: float | None
    learnt_on: Origin | None = None
    named: bool = True

    def check(self) -> None:
        """Check the values before anything is computed.

        Raises:
            UserError: A value is out of range.
        """
        if self.threshold is not None and math.isnan(self.threshold):
            raise UserError(f"--threshold {self.threshold}: give a score, such as -0.5")
        if self.threshold is not None and self.threshold > 0:
            raise UserError(_above_all(self.threshold))
        if not 0 < self.precision < 1:
            raise UserError(f"--precision {self.precision}: give a share between 0 and 1")
        if self.copies is not None and not 0 < self.copies <= 1:
            raise UserError(f"--copies {self.copies}: give a share above 0 and up to 1")


def _above_all(threshold: float) -> str:
    """Why no pair can reach it; whoever gives a cosine is told its score."""
    line = f"--threshold {threshold:g}: scores are minus squared distances, at most 0"
    return f"{line}; the cosine {threshold:g} is {2 * threshold - 2:g}" if threshold <= 1 else line


def find_calibration(
    options: ThresholdOptions, checkpoint: Path | None, *, pictures: Sequence[str] = ()
) -> Calibration | None:
    """Read the calibration, if one is needed, before long work begins.

    Args:
        options: How the threshold was asked for.
        checkpoint: The network, if one was given.
        pictures: What is compared; pictures are described by a network, which may be the one that
            comes with the package.

    Returns:
        None where a threshold is given, or none lies beside the checkpoint, whose network may carry
        a threshold or a calibration with it.

    Raises:
        UserError: There is neither a calibration nor a network, or it is broken.
    """
    options.check()
    if options.threshold is not None:
        return None
    if options.calibration is not None:
        return read_calibration(options.calibration)
    beside = [] if checkpoint is None else [checkpoint.parent, checkpoint.parent.parent]
    for folder in beside:
        if (folder / CALIBRATION_FILE).is_file():
            return read_calibration(folder / CALIBRATION_FILE)
    if checkpoint is not None or box_is_there() or not all(map(holds_descriptors, pictures)):
        return None
    raise UserError(f"no threshold: {_GIVE}")


def carried_threshold(
    options: ThresholdOptions,
    trained: TrainedNetwork,
    *,
    postprocessing: Path | None,
    named: bool = True,
) -> tuple[ThresholdOptions, Calibration | None]:
    """What a network carries with it to choose a threshold by, where nothing else says one.

    Args:
        options: What was asked for, without a threshold.
        trained: The network.
        postprocessing: What its descriptors go through.
        named: Whether a person named the network.

    Returns:
        The options, and the network's calibration; where it carries a threshold alone, that is in
        the options, and the calibration is None.

    Raises:
        UserError: The network carries neither, or one that does not hold for what was asked.
    """
    model = network_fingerprint(trained.network)
    if trained.calibration is not None and postprocessing is None:
        known = Calibration.from_json(trained.calibration, where="the network's calibration")
        return replace(options, learnt_on=replace(known.origin, model=model), named=named), known
    carried = trained.threshold
    if carried is None:
        raise UserError(f"no threshold: the network carries none; {_GIVE}")
    if options.precision != carried.precision or postprocessing is not None:
        raise UserError(
            f"no threshold: that of the network is for a precision of {carried.precision:g} of "
            f"plain descriptors; {_GIVE}"
        )
    among = f" among {carried.references:,} references" if carried.references else ""
    note = f"; {carried.note}" if carried.note else ""
    warn(
        f"the threshold {carried.score:.4f} is that of {carried.source}{among} at "
        f"{carried.preprocessing}{note}; look at what it lets through"
    )
    learnt_on = Origin(model, carried.preprocessing)
    return replace(options, threshold=carried.score, learnt_on=learnt_on, named=named), None


def check_carried(options: ThresholdOptions, origin: Origin) -> None:
    """Check that a threshold that a network carries is of descriptors of an origin.

    Raises:
        UserError: It is of others.
    """
    learnt_on = options.learnt_on
    if learnt_on is None:
        return
    for part in ("model", "preprocessing", "postprocessing"):
        wanted, found = getattr(learnt_on, part), getattr(origin, part)
        # Descriptors that do not say what made them may be of this network.
        if found and found != wanted and (wanted or part == "postprocessing"):
            raise UserError(
                f"no threshold: that of the network is for {part} {wanted or 'none'}, and the "
                f"descriptors are of {found}; {_GIVE}"
            )
    if not origin.model and not options.named:
        raise UserError(
            f"no threshold: the descriptors do not say which network made them; {_GIVE}"
        )
    if not origin.model:
        warn("the descriptors do not say which network made them; the threshold is of this one")


def check_calibration(calibration: Calibration, origin: Origin) -> None:
    """Check that a calibration is of descriptors of an origin; warn where it does not say.

    Raises:
        UserError: It is of others.
    """
    if calibration.metric != "l2":
        raise UserError(
            f"the calibration is of metric {calibration.metric}; make one of L2 by `sscd evaluate`"
        )
    names = ("the calibration", "the descriptors")
    if line := check_same_origin(calibration.origin, origin, names=names):
        warn(line)


def choose_threshold(
    options: ThresholdOptions,
    calibration: Calibration | None,
    *,
    references: int,
    origin: Origin,
) -> float:
    """The score from which pairs are accepted; what it rests on is warned of.

    More references mean more wrong pairs, and fewer copies among the queries mean fewer right ones:
    both move the threshold (DISC21 paper, section 4.4).

    Args:
        options: What was asked for.
        calibration: Of `find_calibration`.
        references: How many pictures each query is compared with.
        origin: What made the descriptors.

    Raises:
        UserError: The calibration, or the threshold that a network carries, is of other
            descriptors, or no score reaches the precision.
    """
    check_carried(options, origin)
    if calibration is None:
        if options.threshold is None:
            raise ValueError("got neither a threshold nor a calibration; expected one")
        return options.threshold
    check_calibration(calibration, origin)
    scale = calibration.scale_to(references)
    if options.copies is not None:
        scale *= calibration.points.true_pairs / calibration.queries / options.copies
    chosen = calibration.threshold(precision=options.precision, scale=scale)
    if not math.isfinite(chosen.threshold):
        raise UserError(f"{chosen.note}; calibrate on more queries, or give --threshold")
    if chosen.note:
        warn(f"the threshold {chosen.threshold:.4f} {chosen.note}; look at what it lets through")
    return chosen.threshold
