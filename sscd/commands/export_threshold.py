"""From which score on the card of an exported network calls two pictures copies."""

from dataclasses import replace
from pathlib import Path

from sscd.commands.choose_threshold import CALIBRATION_FILE
from sscd.errors import UserError
from sscd.evaluation.calibration import Calibration, read_calibration
from sscd.evaluation.origins import check_same_origin
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.describer import origin_of
from sscd.models.descriptor import DescriptorNet
from sscd.models.threshold import MatchThreshold
from sscd.terminal import warn

PRECISION = 0.9
STRICTER = 0.99


def with_threshold(
    trained: TrainedNetwork, given: Calibration | None, source: Path, *, whole: DescriptorNet
) -> TrainedNetwork:
    """Give a network the thresholds of its calibration, and that itself to carry with it.

    Args:
        trained: The network as it is written, with what it carried before.
        given: The calibration that was asked for; None for the file beside the checkpoint, or else
            what the network carries.
        source: The file of `given`, or the checkpoint.
        whole: The network before its weights were rounded, of which the calibration may be.

    Raises:
        UserError: The calibration that was asked for is of another network.
    """
    if given is not None:
        return _calibrated(trained, given, source=source.name, whole=whole)
    for folder in (source.parent, source.parent.parent):
        file = folder / CALIBRATION_FILE
        if file.is_file():
            try:
                return _calibrated(trained, read_calibration(file), source=file.name, whole=whole)
            except UserError as error:
                warn(f"{file} was not used: {error}")
    if trained.calibration is None or trained.network is whole:
        return trained
    known = Calibration.from_json(trained.calibration, where="the network's calibration")
    return replace(trained, calibration=_carried(known, trained))


def _calibrated(
    trained: TrainedNetwork, calibration: Calibration, *, source: str, whole: DescriptorNet
) -> TrainedNetwork:
    own = origin_of(trained.network, trained.inference)
    # A descriptor of rounded weights differs too little to move a threshold.
    unrounded = origin_of(whole, trained.inference)
    origin = unrounded if calibration.origin.model == unrounded.model else own
    names = ("the calibration", "the network")
    if line := check_same_origin(calibration.origin, origin, names=names):
        warn(line)
    threshold = _threshold(calibration, PRECISION, trained, source=source)
    if threshold is None:
        note = calibration.threshold(precision=PRECISION).note
        raise UserError(note or "the calibration does not say how descriptors were compared")
    return replace(
        trained,
        threshold=threshold,
        stricter=_threshold(calibration, STRICTER, trained, source=source),
        calibration=_carried(calibration, trained) if calibration.metric == "l2" else None,
    )


def _carried(calibration: Calibration, trained: TrainedNetwork) -> dict[str, object]:
    """The calibration as one of this network's own descriptors."""
    own = origin_of(trained.network, trained.inference)
    return replace(calibration, origin=own).to_json()


def _threshold(
    calibration: Calibration, precision: float, trained: TrainedNetwork, *, source: str
) -> MatchThreshold | None:
    chosen = calibration.threshold(precision=precision)
    # For unit rows ‖a − b‖² = 2 − 2·cos, so that either score gives the other.
    inner = calibration.metric == "inner_product"
    score = 2 * chosen.threshold - 2 if inner else chosen.threshold
    if calibration.metric is None or score == float("inf"):
        return None
    return MatchThreshold(
        score=score,
        precision=precision,
        recall=chosen.recall,
        references=calibration.references,
        preprocessing=origin_of(trained.network, trained.inference).preprocessing,
        source=f"{source}: {calibration.queries} queries, {calibration.protocol}",
        note=chosen.note,
    )
