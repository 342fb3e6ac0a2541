"""`sscd export --model-only`: a trained network for other programs, with its card."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode
from sscd.commands.choose_threshold import CALIBRATION_FILE
from sscd.errors import UserError
from sscd.evaluation.calibration import Calibration, read_calibration
from sscd.evaluation.origins import check_same_origin
from sscd.files import check_writable_directory
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.describer import origin_of
from sscd.models.loading import load_network
from sscd.models.packages.card import ModelCard
from sscd.models.packages.writing import (
    SUFFIXES,
    PackageFormat,
    PackedFile,
    write_card,
    write_packages,
)
from sscd.models.threshold import MatchThreshold
from sscd.terminal import Result, warn, working

PRECISION = 0.9

# Names that people give to models and descriptor files: a directory of that name is not meant.
_OTHER_FILES = (".pt", ".pth", ".ckpt", ".bin", ".h5", ".hdf5")


@dataclass(frozen=True)
class ModelOptions:
    """What was asked for of a network on a command line.

    Attributes:
        checkpoint: Where it is.
        output: A directory, or the file to write.
        formats: Which formats; empty for the one that the output's name says, or safetensors.
        calibration: What the threshold is taken from; None for the file beside the checkpoint, or
            else the checkpoint itself.
        size: Pixels that pictures are resized to; None for the training's own.
        resize: Which side that is of; None for the training's own.
        name: What the network is called; None for the name of the output or the run.
        licence: Of the weights; None for what the checkpoint says.
    """

    checkpoint: Path
    output: Path
    formats: Sequence[PackageFormat] = ()
    calibration: Path | None = None
    size: int | None = None
    resize: ResizeMode | None = None
    name: str | None = None
    licence: str | None = None

    def files(self) -> tuple[Path, list[tuple[PackageFormat, Path]]]:
        """Where everything goes: the common part of the paths, and a file for each format.

        Raises:
            UserError: The output's name does not fit the formats.
        """
        end = self.output.suffix.lower()
        said = next((kind for kind, suffix in SUFFIXES.items() if suffix == end), None)
        formats = list(dict.fromkeys(self.formats)) or [said or "safetensors"]
        if self.output.is_dir() or said is None:
            if self.output.is_file():
                raise UserError(f"--output {self.output} is a file; give a directory or a new file")
            if end in _OTHER_FILES and not self.output.is_dir():
                raise UserError(
                    f"--output {self.output}: no format ends in {end}; give a directory, or a file "
                    f"that ends in {', '.join(SUFFIXES.values())}"
                )
            name = self.name or name_of_checkpoint(self.checkpoint)
            stem = self.output / name.replace("/", "-")
        elif formats != [said]:
            raise UserError(
                f"--output {self.output} is of format {said}, and --format asks for "
                f"{' '.join(formats)}; give a directory"
            )
        else:
            stem = self.output.with_suffix("")
        return stem, [(kind, stem.with_name(stem.name + SUFFIXES[kind])) for kind in formats]


def export_model(options: ModelOptions) -> Result:
    """Write a network in the formats asked for, and its card.

    Args:
        options: What was asked for.

    Raises:
        UserError: The checkpoint, the calibration or the output cannot be used, or a format cannot
            express the network.
    """
    if options.size is not None and options.size < 16:
        raise UserError(f"--size {options.size} is too small; give at least 16 pixels")
    stem, paths = options.files()
    given = None if options.calibration is None else read_calibration(options.calibration)
    check_writable_directory(stem.parent)
    trained = _prepared(options, load_network(options.checkpoint), given)
    card = ModelCard.of(trained, name=options.name or stem.name)
    with working("writing and checking the network"):
        written = write_packages(trained, card, paths)
    cards = write_card(stem, card, written)
    return _result(card, written, cards)


def _prepared(
    options: ModelOptions, trained: TrainedNetwork, given: Calibration | None
) -> TrainedNetwork:
    """The network as it is asked for, with the threshold that holds for it."""
    inference = InferenceSize(
        size=options.size or trained.inference.size, mode=options.resize or trained.inference.mode
    )
    asked = replace(trained, inference=inference, licence=options.licence or trained.licence)
    if given is not None and options.calibration is not None:
        chosen = _threshold(given, asked, source=options.calibration.name)
        return replace(asked, threshold=chosen)
    beside = _beside(options.checkpoint, asked)
    if beside is not None:
        return replace(asked, threshold=beside)
    if asked.threshold is not None and inference != trained.inference:
        warn(
            f"the checkpoint's threshold is for pictures at {asked.threshold.preprocessing}, and "
            "the network's are resized otherwise now: the card names none"
        )
        return replace(asked, threshold=None)
    return asked


def _beside(checkpoint: Path, trained: TrainedNetwork) -> MatchThreshold | None:
    """The threshold of the run's own calibration, where it is of this network."""
    for folder in (checkpoint.parent, checkpoint.parent.parent):
        file = folder / CALIBRATION_FILE
        if file.is_file():
            try:
                return _threshold(read_calibration(file), trained, source=file.name)
            except UserError as error:
                warn(f"{file} was not used: {error}")
    return None


def _threshold(calibration: Calibration, trained: TrainedNetwork, *, source: str) -> MatchThreshold:
    origin = origin_of(trained.network, trained.inference)
    names = ("the calibration", "the network")
    if line := check_same_origin(calibration.origin, origin, names=names):
        warn(line)
    chosen = calibration.threshold(precision=PRECISION)
    # For unit rows ‖a − b‖² = 2 − 2·cos, so that either score gives the other.
    inner = calibration.metric == "inner_product"
    score = 2 * chosen.threshold - 2 if inner else chosen.threshold
    if calibration.metric is None or score == float("inf"):
        raise UserError(chosen.note or "the calibration does not say how descriptors were compared")
    return MatchThreshold(
        score=score,
        precision=PRECISION,
        recall=chosen.recall,
        references=calibration.references,
        preprocessing=origin.preprocessing,
        source=f"{source}: {calibration.queries} queries, {calibration.protocol}",
        note=chosen.note,
    )


def name_of_checkpoint(checkpoint: Path) -> str:
    """The run of a checkpoint, or the file's own name without its ends."""
    path = checkpoint.absolute()
    if path.parent.name == "checkpoints":
        return path.parent.parent.name
    return path.name.partition(".")[0] or path.name


def _result(card: ModelCard, written: Sequence[PackedFile], cards: tuple[Path, Path]) -> Result:
    table = [
        {
            "format": file.format,
            "path": str(file.path),
            "bytes": file.bytes,
            "sizes": file.sizes,
            "difference": file.difference,
        }
        for file in written
    ]
    known = "none is known" if card.threshold is None else f"{card.threshold.similarity:.4f}"
    return Result(
        {
            "name": card.name,
            "fingerprint": card.fingerprint,
            "files": table,
            "card": str(cards[0]),
            "card_page": str(cards[1]),
            "threshold": None if card.threshold is None else card.threshold.as_json(),
        },
        [
            *(f"{file.path}: {file.bytes / 1e6:.1f} MB{_checked(file)}" for file in written),
            f"{cards[1]}: the model card; similarity of copies at 90 % precision: {known}",
        ],
    )


def _checked(file: PackedFile) -> str:
    if file.difference is None:
        return ""
    return f", pictures of {file.sizes} size, within {file.difference:.1e} of torch"
