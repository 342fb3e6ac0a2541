"""What `sscd match` and `sscd dedup` share: descriptors as the calibration knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sscd.commands.choose_threshold import ThresholdOptions, check_calibration, check_carried
from sscd.commands.describing import SetDescriber, repeatable
from sscd.commands.postprocess import (
    check_origins,
    process,
    saved_postprocessing,
    training_set,
)
from sscd.data.descriptors import Descriptors
from sscd.data.pictures.sources import PictureSource
from sscd.data.records import Pictures
from sscd.errors import UserError
from sscd.evaluation.calibration import Calibration
from sscd.search.knn import Device
from sscd.search.postprocessing.chain import PostProcessing, Side

_TRAINING = "training"


@dataclass(frozen=True)
class MatchSet:
    """One set to be compared.

    Attributes:
        descriptors: Finished descriptors.
        pictures: What they describe; None where descriptors were given.
    """

    descriptors: Descriptors
    pictures: Pictures | None


def describe_sets(
    describer: SetDescriber,
    sources: dict[Side, str],
    *,
    postprocessing: Path | None,
    training: str | None,
    device: Device,
    calibration: Calibration | None,
    threshold: ThresholdOptions,
) -> dict[Side, MatchSet] | None:
    """Describe the sets, and take them through saved post-processing.

    Args:
        describer: Describes them, or opens what is described.
        sources: Side → where its pictures or descriptors lie.
        postprocessing: A descriptor file whose post-processing is applied; None for none.
        training: Training pictures or descriptors, where the post-processing needs them.
        device: Where searches run.
        calibration: What thresholds are chosen by; it must be of these descriptors.
        threshold: How the threshold was asked for; what the network carries must be of these
            descriptors too.

    Returns:
        The sets; None for ranks other than 0.

    Raises:
        UserError: Something cannot be read or described, or was made by different models.
    """
    chain = _chain(postprocessing, sources, training)
    names: dict[Side, str] = {"query": "queries", "reference": "references"}
    named = {names[side]: (source, side) for side, source in sources.items()}
    if training is not None:
        named[_TRAINING] = (training, "reference")
    opened = {name: describer.open(source, name=name) for name, (source, _) in named.items()}
    if any(opened.values()):  # known before anything is described
        mark = chain.fingerprint if chain else ""
        origin = replace(describer.spec.origin, postprocessing=mark)
        check_carried(threshold, origin)
        if calibration is not None:
            check_calibration(calibration, origin)
    found = _described(describer, named, opened)
    if found is None:
        return None
    projected = None
    if chain is not None and training is not None:
        projected = training_set(chain, found[_TRAINING])
    result: dict[Side, MatchSet] = {}
    for name, (_, side) in named.items():
        if name != _TRAINING:
            source_of = opened[name]
            done = found[name]
            if chain:
                done = process(done, side, chain, training=projected, device=device)
            result[side] = MatchSet(done, source_of.pictures if source_of else None)
    return result


def _described(
    describer: SetDescriber,
    named: Mapping[str, tuple[str, Side]],
    opened: Mapping[str, PictureSource | None],
) -> dict[str, Descriptors] | None:
    """Name → descriptors of one network; None for ranks other than 0."""
    found: dict[str, Descriptors] = {}
    with repeatable():
        for name, (source, side) in named.items():
            described = describer.describe(source, opened[name], name=name, side=side)
            if described is not None:
                found[name] = described
    if len(found) < len(named):
        return None
    first, descriptors = next(iter(found.items()))
    for name, others in found.items():
        check_origins(descriptors, others, names=(f"the {first}", f"the {name}"))
    return found


def _chain(
    postprocessing: Path | None, sources: dict[Side, str], training: str | None
) -> PostProcessing | None:
    """The saved post-processing, which these sets and training pictures allow."""
    chain = saved_postprocessing(postprocessing)
    if chain is not None and chain.score_norm and "query" not in sources:
        raise UserError(
            f"the post-processing of {postprocessing} normalises scores of queries against "
            "references, and there are no queries here; export one without --score-norm"
        )
    if chain is not None and chain.needs_training and training is None:
        raise UserError(f"the post-processing of {postprocessing} needs --training")
    if training is not None and not (chain is not None and chain.needs_training):
        raise UserError("--training is for post-processing that needs it; leave it out")
    return chain
