"""What `python -m benchmarks.train` is told."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MODES = ("resident", "bare", "device", "jpeg")


@dataclass(frozen=True)
class Options:
    """What to measure, and how long.

    Attributes:
        modes: Of `MODES`, in their order.
        compiled: Whether to run the steps uncompiled, compiled, or both.
        backbone: A torchvision network by name.
        dims: Length of the descriptor.
        image_size: Side of the views, pixels.
        batch_size: Pictures in a step over all devices, two views of each.
        micro_batch: Pictures of a device that go through the network at once; None for all.
        steps: Steps that are timed.
        warm_up: Steps before them.
        rounds: How often all modes are measured by turns; the medians are told.
        devices: How many devices; the figures are of all together.
        workers: Loader processes of each device.
        chunk: Pictures that a worker makes at once.
        root: A folder of JPEG files; None draws some.
        pictures: How many pictures are drawn, or taken from the folder.
        loss_rows: Descriptors of the step whose loss is timed; 0 leaves it out.
        peak_tflops: What a device can do at most; None looks it up or measures it.
        json: Where the figures go, too.
    """

    modes: tuple[str, ...]
    compiled: tuple[bool, ...]
    backbone: str
    dims: int
    image_size: int
    batch_size: int
    micro_batch: int | None
    steps: int
    warm_up: int
    rounds: int
    devices: int
    workers: int
    chunk: int
    root: Path | None
    pictures: int
    loss_rows: int
    peak_tflops: float | None
    json: Path | None

    @property
    def views(self) -> int:
        """Views in a step over all devices."""
        return 2 * self.batch_size

    @property
    def views_a_device(self) -> int:
        """Views of one device in a step."""
        return self.views // self.devices


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Options from a command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.train",
        description="Speed of training steps: with resident batches, of a bare torchvision loop, "
        "with augmentation on the device from decoded pictures, and from JPEG files.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--modes", nargs="+", choices=MODES, default=list(MODES))
    add("--compile", choices=("on", "off", "both"), default="both")
    add("--backbone", default="resnet50", help="a torchvision network")
    add("--dims", type=int, default=512, help="length of the descriptor")
    add("--image_size", type=int, default=224)
    add("--batch_size", type=int, default=256, help="pictures in a step, over all devices")
    add("--micro_batch", type=int, help="pictures of a device that go through the network at once")
    add("--steps", type=int, default=50, help="steps that are timed")
    add("--warm_up", type=int, default=10, help="steps before them")
    add("--rounds", type=int, default=1, help="how often all modes are measured, by turns")
    add("--devices", type=int, default=1)
    add("--workers", type=int, default=8, help="loader processes of each device")
    add("--chunk", type=int, default=32, help="pictures that a worker makes at once")
    add("--root", type=Path, help="a folder of JPEG files, in place of drawn ones")
    add("--pictures", type=int, default=512, help="how many are drawn, or taken from the folder")
    add("--loss_rows", type=int, default=8192, help="rows of the loss that is timed; 0 for none")
    add(
        "--peak_tflops", type=float, help="of one device, in place of the table's or a measured one"
    )
    add("--json", type=Path, help="write the figures there, too")
    given = vars(parser.parse_args(arguments))
    if given["batch_size"] % given["devices"]:
        parser.error("--batch_size must divide by --devices")
    given["compiled"] = {"on": (True,), "off": (False,), "both": (False, True)}[
        given.pop("compile")
    ]
    given["modes"] = tuple(mode for mode in MODES if mode in given["modes"])
    return Options(**given)
