"""A network's descriptors, kept in parts on disk with the time that they took."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from sscd.commands.describing import DescribeOptions, SetDescriber
from sscd.commands.systems.data import content_digest
from sscd.data.descriptors import Descriptors
from sscd.data.pictures.sources import PictureSource
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.data.stopwatch import Stopwatch
from sscd.describing.ranks import current_rank
from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.formats.usage import utc_now
from sscd.models.describer import DeviceName, choose_device

PARTITION = 4096


def devices(name: DeviceName) -> int:
    """How many processes describe: one for each GPU, or one."""
    import torch

    return torch.cuda.device_count() if choose_device(name).type == "cuda" else 1


def check_one_process(command: str) -> None:
    """Check that no launcher has started several of a command that takes all GPUs by itself.

    Raises:
        UserError: This is another rank than the first.
    """
    if current_rank(os.environ).number:
        raise UserError(
            f"sscd {command} is one process, which takes all GPUs; start it without torchrun or "
            "srun"
        )


@dataclass
class KeptStopwatch(Stopwatch):
    """One whose times outlast a call.

    Attributes:
        described: When the last of the pictures was described, UTC, ISO 8601; empty for never.
    """

    described: str = ""


class StoredDescriptors:
    """A network's descriptors, in parts that a second call finds; times itself over both calls.

    Args:
        options: The checkpoint and how it describes.
        work: The directory of the parts.
        partition: Pictures of a part.
        skipped: Takes note of what cannot be read.

    Attributes:
        watch: What describing took, in this call or in the earlier one that made the parts.
    """

    def __init__(
        self,
        options: DescribeOptions,
        work: Path,
        *,
        partition: int = PARTITION,
        skipped: SkipLog | None = None,
    ) -> None:
        self.watch = KeptStopwatch()
        log = SkipLog() if skipped is None else skipped
        self._sets = SetDescriber(
            options, work, partition, processes=devices(options.device), skipped=log
        )
        self._work = work
        self._seen: set[str] = set()

    @property
    def hardware(self) -> str:
        """What the network runs on."""
        one = self._sets.spec.build().hardware
        count = devices(self._sets.options.device)
        return f"{count} × {one}" if count > 1 else one

    def __call__(self, pictures: Pictures) -> Descriptors:
        """Describe a set, or open what was described.

        Raises:
            UserError: No picture can be read, or the parts cannot be written.
        """
        # Not the place: a data set that was moved is the same.
        mark = content_digest(pictures)
        name = f"{pictures.name.replace(' ', '_')}-{mark[:8]}"
        source = PictureSource(pictures, "folder", f"{pictures.name} {mark}")
        before = Stopwatch(self._sets.watch.seconds, self._sets.watch.pictures)
        found = self._sets.describe(source.location, source, name=name, side="reference")
        if found is None:
            raise ValueError("got a rank of several; expected one process")
        own = self._sets.watch
        made = Stopwatch(own.seconds - before.seconds, own.pictures - before.pictures)
        self._note(name, made)
        return found

    def _note(self, name: str, made: Stopwatch) -> None:
        """Add a set's time once, of this call or as an earlier one has written it down."""
        file = self._work / f"{name}.time.json"
        if made.pictures:
            values = {
                "seconds": made.seconds,
                "pictures": made.pictures,
                "described": utc_now(exactly=True),
            }
            with atomic_path(file) as temporary:
                temporary.write_text(json.dumps(values) + "\n", encoding="utf-8")
        if name in self._seen:
            return
        self._seen.add(name)
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            seconds, count = float(values["seconds"]), int(values["pictures"])
            described = str(values["described"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # the time of these parts is not known, and not counted
        self.watch.seconds += seconds
        self.watch.pictures += count
        self.watch.described = max(self.watch.described, described)
