"""What `sscd baseline` was asked for, and which of it a baseline has."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sscd.augment.tensors import ResizeMode
from sscd.errors import UserError
from sscd.formats.track2.layouts import MAX_DIMENSIONS
from sscd.models.describer import DeviceName

BaselineName = Literal["gist", "multigrain", "how"]
OutputKind = Literal["descriptors", "pairs"]

_OF_NETWORKS = ("checkpoint", "size", "resize", "batch_size")
_OWN: dict[BaselineName, tuple[str, ...]] = {
    "gist": ("dims",),
    "multigrain": ("dims", *_OF_NETWORKS),
    "how": ("words", "features", "index", *_OF_NETWORKS),
}
_ENDS: dict[str, OutputKind] = {".h5": "descriptors", ".hdf5": "descriptors", ".csv": "pairs"}
GIST_DIMS = (256, 960)


@dataclass(frozen=True)
class BaselineOptions:
    """The options, as the command documents them; None for what was not given."""

    name: BaselineName
    queries: str
    output: Path
    references: str | None = None
    training: str | None = None
    normalise: bool = False
    checkpoint: Path | None = None
    dims: int | None = None
    words: int | None = None
    features: int | None = None
    index: Path | None = None
    size: int | None = None
    resize: ResizeMode | None = None
    batch_size: int | None = None
    workers: int | None = None
    device: DeviceName = "auto"

    @property
    def kind(self) -> OutputKind:
        """What is written, by the name of the output.

        Raises:
            UserError: Its end is none of those.
        """
        kind = _ENDS.get(self.output.suffix.lower())
        if kind is None:
            raise UserError(
                f"--output {self.output}: give a name that ends in .h5, for track-2 descriptors, "
                "or in .csv, for track-1 pairs"
            )
        return kind

    @property
    def opens_index(self) -> bool:
        """Whether the references lie in an index already."""
        return self.index is not None and self.index.is_file()

    def check(self) -> None:
        """Check what can be before anything is read.

        Raises:
            UserError: An option is of another baseline, missing, or out of range.
        """
        for option in {option for options in _OWN.values() for option in options}:
            if getattr(self, option) is not None and option not in _OWN[self.name]:
                having = [name for name, options in _OWN.items() if option in options]
                raise UserError(f"--{option} is for {' and '.join(having)}, not for {self.name}")
        if self.name != "gist" and self.checkpoint is None:
            raise UserError(f"{self.name} needs a network; give --checkpoint")
        if self.name == "how" and self.kind == "descriptors":
            raise UserError(
                f"--output {self.output}: HOW has no global descriptors to write; give a name "
                "that ends in .csv, for pairs"
            )
        for option in ("words", "features", "dims", "batch_size"):
            if (value := getattr(self, option)) is not None and value < 1:
                raise UserError(f"--{option} {value}: give at least 1")
        if self.workers is not None and self.workers < 0:
            raise UserError(f"--workers {self.workers}: give 0 or more")
        self._check_dims()
        self._check_index()
        if self.training is None and (why := self._needs_training()):
            raise UserError(f"--training is missing: {why}")

    def _check_dims(self) -> None:
        if self.name == "gist" and self.dims is not None and self.dims not in GIST_DIMS:
            raise UserError(f"--dims {self.dims}: GIST has 960, or 256 by PCA")
        if self.kind == "descriptors" and (self.dims or 0) > MAX_DIMENSIONS:
            raise UserError(
                f"--dims {self.dims}: track 2 takes at most {MAX_DIMENSIONS}; lower it, or give "
                "--output a name that ends in .csv"
            )

    def _check_index(self) -> None:
        if not self.opens_index:
            if self.references is None:
                absent = f"; there is no index {self.index} yet" if self.index else ""
                raise UserError(
                    f"--references is missing: give the pictures that are searched{absent}"
                )
            return
        brought = ("references", "training", "words", "features", "size", "resize")
        if given := [option for option in brought if getattr(self, option) is not None]:
            raise UserError(
                f"--{given[0]}: the index {self.index} is there and brings its own; leave it out, "
                "or give --index another name"
            )

    def _needs_training(self) -> str:
        """What training pictures are needed for; empty where they are not."""
        if self.opens_index:
            return ""
        if self.name == "how":
            return "visual words are learnt on training pictures"
        if self.name == "multigrain":
            return "whitening is learnt on training pictures"
        if self.normalise:
            return "--normalise subtracts the similarity of training pictures"
        if self.dims != max(GIST_DIMS):
            return "PCA is learnt on training pictures; or give --dims 960 and a .csv"
        return ""
