"""`sscd export --model-only`: a trained network for other programs, with its card."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode
from sscd.commands.export_projection import LearntProjection, with_projection
from sscd.commands.export_threshold import with_threshold
from sscd.errors import UserError
from sscd.evaluation.calibration import read_calibration
from sscd.files import check_writable_directory
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.loading import load_network
from sscd.models.packages.card import ModelCard
from sscd.models.packages.half import WeightType, rounded_to_half
from sscd.models.packages.writing import (
    SUFFIXES,
    PackageFormat,
    PackedFile,
    write_card,
    write_packages,
)
from sscd.models.seeing import Seeing
from sscd.terminal import Result, warn, working

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
        weights: How safetensors hold the weights.
        projection: What is learnt and put behind the network; None for nothing.
        seeing: Settings of the network that are to be others than the training's.
    """

    checkpoint: Path
    output: Path
    formats: Sequence[PackageFormat] = ()
    calibration: Path | None = None
    size: int | None = None
    resize: ResizeMode | None = None
    name: str | None = None
    licence: str | None = None
    weights: WeightType = "float32"
    projection: LearntProjection | None = None
    seeing: Seeing = Seeing()

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


def export_model(options: ModelOptions) -> Result | None:
    """Write a network in the formats asked for, and its card.

    Args:
        options: What was asked for.

    Returns:
        What was written; None for ranks other than 0.

    Raises:
        UserError: The checkpoint, the calibration or the output cannot be used, a projection cannot
            be learnt, or a format cannot express the network.
    """
    if options.size is not None and options.size < 16:
        raise UserError(f"--size {options.size} is too small; give at least 16 pixels")
    stem, paths = options.files()
    if options.weights == "float16" and all(kind != "safetensors" for kind, _ in paths):
        raise UserError("--weights float16 is of the format safetensors; add it, or leave that out")
    given = None if options.calibration is None else read_calibration(options.calibration)
    check_writable_directory(stem.parent)
    trained = _network(options, work=stem.with_name(f"{stem.name}.descriptors"))
    if trained is None:
        return None
    whole = trained.network
    if options.weights == "float16":
        trained = replace(trained, network=rounded_to_half(whole))
    trained = with_threshold(trained, given, options.calibration or options.checkpoint, whole=whole)
    name = options.name or stem.name
    card = ModelCard.of(trained, name=name, weights=options.weights)
    with working("writing and checking the network"):
        written = write_packages(trained, card, paths)
    cards = write_card(stem, card, written)
    return _result(card, written, cards)


def _network(options: ModelOptions, *, work: Path) -> TrainedNetwork | None:
    """The network as it is asked for; thresholds that hold no more are left out."""
    if options.projection is None:
        trained: TrainedNetwork | None = _seeing(options, load_network(options.checkpoint))
    else:
        trained = with_projection(options.projection, work=work)
    if trained is None:
        return None
    inference = InferenceSize(
        size=options.size or trained.inference.size, mode=options.resize or trained.inference.mode
    )
    asked = replace(trained, inference=inference, licence=options.licence or trained.licence)
    if asked.threshold is not None and inference != trained.inference and not options.calibration:
        warn(
            f"the checkpoint's threshold is for pictures at {asked.threshold.preprocessing}, and "
            "the network's are resized otherwise now: the card names none"
        )
    if inference != trained.inference:
        return replace(asked, threshold=None, stricter=None, calibration=None)
    return asked


def _seeing(options: ModelOptions, loaded: TrainedNetwork) -> TrainedNetwork:
    """The network, as it is to see pictures."""
    trained = options.seeing.of(loaded)
    if trained is not loaded and (loaded.figures or loaded.threshold):
        warn(
            "the checkpoint's figures and threshold are of its own scales, mirror and gem_p, and "
            "the network sees otherwise now: the card names none"
        )
    return trained


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
