"""What commands that describe pictures share: options, parts, and files that are described."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode
from sscd.data.descriptors import Descriptors
from sscd.data.parallel import decoding_workers
from sscd.data.pictures.sources import PictureSource, open_pictures
from sscd.data.skipped import SkipLog
from sscd.data.stopwatch import Stopwatch
from sscd.describing.local import describe_parts
from sscd.describing.output import Described
from sscd.errors import UserError
from sscd.formats.descriptor_files import holds_descriptors, open_descriptors
from sscd.formats.parquet.files import open_parquet
from sscd.formats.track2.layouts import Side
from sscd.models.box.model import box_name, load_box
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.describer import DescriberSpec, DeviceName
from sscd.models.loading import load_network
from sscd.models.seeing import Seeing
from sscd.terminal import remark, warn, working


@dataclass(frozen=True)
class DescribeOptions:
    """How pictures are described, as asked for on a command line.

    Attributes:
        checkpoint: A file that holds a network; None for the one that comes with the package.
        size: Pixels that pictures are resized to; None for the training's own.
        resize: Which side that is of; None for the training's own.
        batch_size: Pictures at once.
        workers: Processes that decode; None for 4, or as many as there are processors.
        device: Where the network runs.
        seeing: Settings of the network that are to be others than the training's.
    """

    checkpoint: Path | None
    size: int | None = None
    resize: ResizeMode | None = None
    batch_size: int = 64
    workers: int | None = None
    device: DeviceName = "auto"
    seeing: Seeing = Seeing()

    def check(self) -> None:
        """Check the values before anything is loaded.

        Raises:
            UserError: A value is out of range.
        """
        if self.size is not None and self.size < 16:
            raise UserError(f"--size {self.size} is too small; give at least 16 pixels")
        if self.batch_size < 1 or (self.workers is not None and self.workers < 0):
            raise UserError(
                f"--batch_size {self.batch_size} --workers {self.workers}: give a batch of at "
                "least 1 and 0 workers or more"
            )

    def load(self) -> tuple[DescriberSpec, TrainedNetwork]:
        """Load the checkpoint.

        Raises:
            UserError: There is none, or it cannot be used.
        """
        self.check()
        with working("loading the network"):
            trained = load_box() if self.checkpoint is None else load_network(self.checkpoint)
            trained = self.seeing.of(trained)
        if self.checkpoint is None:
            remark(_about_box(trained))
        inference = InferenceSize(
            size=self.size or trained.inference.size, mode=self.resize or trained.inference.mode
        )
        workers = decoding_workers(self.workers)
        spec = DescriberSpec(trained.network, inference, self.batch_size, workers, self.device)
        return spec, trained


def _about_box(trained: TrainedNetwork) -> str:
    """One line on the network that is taken where none is named."""
    config, known = trained.network.config, trained.threshold
    copies = "it names no threshold"
    if known is not None:
        among = "" if known.references is None else f", among {known.references:,} references"
        copies = f"copies from score {known.score:.4f} on at {known.precision:.0%} precision{among}"
    return (
        f"no --checkpoint: {box_name()} is taken, {trained.name or 'a network'} "
        f"({config.backbone}, {trained.network.dims} dimensions); {copies}"
    )


@dataclass
class SetDescriber:
    """Describes sets of pictures to parts below one directory, or opens what is described.

    Attributes:
        options: How pictures are described.
        work: The directory of the parts; a second run goes on with what is there.
        partition: Pictures of a part.
        processes: Processes on this machine; None for one a GPU.
        watch: What describing took.
        skipped: The pictures that could not be read.
    """

    options: DescribeOptions
    work: Path
    partition: int
    processes: int | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)
    skipped: SkipLog = field(default_factory=SkipLog)
    _loaded: tuple[DescriberSpec, TrainedNetwork] | None = None

    @property
    def trained(self) -> TrainedNetwork:
        """The network of the checkpoint."""
        return self._load()[1]

    @property
    def spec(self) -> DescriberSpec:
        """What describes."""
        return self._load()[0]

    def _load(self) -> tuple[DescriberSpec, TrainedNetwork]:
        if self._loaded is None:
            self._loaded = self.options.load()
        return self._loaded

    def open(self, source: str, *, name: str) -> PictureSource | None:
        """The pictures of a source; None where it holds descriptors.

        Raises:
            UserError: It is neither.
        """
        if holds_descriptors(source):
            return None
        opened = open_pictures(source, name=name)
        for line in opened.left_out:
            warn(line)
        return opened

    def describe(
        self, source: str, opened: PictureSource | None, *, name: str, side: Side
    ) -> Descriptors | None:
        """The descriptors of a source, described now if they are not there yet.

        Args:
            source: Where the pictures or descriptors lie.
            opened: Of `open`.
            name: What the set is called; its parts lie in a directory of that name.
            side: Which side of track-2 files.

        Returns:
            The descriptors; None for ranks other than 0, whose own parts are finished.

        Raises:
            UserError: They cannot be described or read.
        """
        if opened is None:
            if "://" in source:
                return open_parquet(source)
            return open_descriptors([Path(source)], side=side)
        begun = time.monotonic()
        described = describe_parts(
            self.spec,
            opened,
            str(self.work / name),
            partition=self.partition,
            processes=self.processes,
        )
        if described is None:
            return None
        self._note(described, time.monotonic() - begun)
        return open_parquet(self.work / name)

    def _note(self, described: Described, seconds: float) -> None:
        if described.made:
            self.watch.seconds += seconds
            self.watch.pictures += min(
                described.made * described.request.partition, described.request.pictures
            )
        for failure in described.failures:
            self.skipped.add(failure.path, failure.reason)

    def say_failures(self, output: Path) -> None:
        """Warn of pictures that could not be read, and list them beside the output."""
        say_skipped(self.skipped, output)


def say_skipped(skipped: SkipLog, output: Path) -> None:
    """Warn of pictures that could not be read, and list them beside the output."""
    listing = output.with_name(f"{output.name}.skipped.txt")
    listing.unlink(missing_ok=True)  # of an earlier run
    if skipped:
        skipped.write(listing)
        warn(skipped.summary(file=str(listing)))


def work_directory(output: Path) -> Path:
    """Where the descriptors behind an output are kept: `a.csv` → `a.csv.descriptors`."""
    return output.with_name(f"{output.name}.descriptors")


@contextmanager
def repeatable() -> Iterator[None]:
    """Say after Ctrl-C that the same command goes on."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt("the same command goes on where it stopped") from interrupt
