"""Checkpoints and descriptors as artifacts, staged where a later upload finds them."""

import contextlib
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sscd.data.descriptors import Descriptors, Origin
from sscd.formats.origins import origin_attributes
from sscd.formats.track2.hdf5_file import Track2, write_track2
from sscd.vectors import Vectors

STAGED = "wandb/staged"
Kind = Literal["checkpoint", "descriptors"]
_TYPES: dict[Kind, str] = {"checkpoint": "model", "descriptors": "descriptors"}
_NAMES: dict[Kind, str] = {"checkpoint": "checkpoint.ckpt", "descriptors": "track2.h5"}
"""What the file is called within an artifact, the same in all its versions."""


@dataclass(frozen=True)
class Version:
    """What a version of an artifact is of.

    Attributes:
        step: Of the training.
        best: Whether it is better than all before.
        metadata: What else is known of it, in plain values.
    """

    step: int
    best: bool
    metadata: Mapping[str, Any]

    @property
    def aliases(self) -> tuple[str, ...]:
        """`latest`, and `best` where it is that."""
        return ("latest", "best") if self.best else ("latest",)


@dataclass(frozen=True)
class Staged:
    """A file that stays as it is until it is uploaded.

    Attributes:
        kind: What it is, which the artifact is named after.
        file: Where it is.
        version: What it is of.
    """

    kind: Kind
    file: Path
    version: Version


def staging_folder(run_dir: Path) -> Path:
    """A new place in a run directory, for the files of one piece of the run.

    What an earlier piece has left there may still wait for `wandb sync`.
    """
    return (run_dir / STAGED / secrets.token_hex(4)).absolute()


def stage_checkpoint(folder: Path, checkpoint: Path, version: Version) -> Staged:
    """Keep a checkpoint as it is now, by a second name; where that cannot be, by a copy.

    Raises:
        OSError: There is no space.
    """
    place = _place(folder, "checkpoint", version)
    place.unlink(missing_ok=True)
    try:
        place.hardlink_to(checkpoint)
    except OSError:  # a file system without links
        shutil.copyfile(checkpoint, place)
    return Staged("checkpoint", place, version)


def stage_descriptors(
    folder: Path, described: tuple[Descriptors, Descriptors], origin: Origin, version: Version
) -> Staged:
    """Write queries and references in track 2's format.

    Raises:
        UserError: Over 256 dimensions, a value that is not finite, or no space.
    """
    queries, references = described
    place = _place(folder, "descriptors", version)
    track2: Track2[Vectors] = Track2(
        query_ids=queries.ids,
        queries=queries.vectors,
        reference_ids=references.ids,
        references=references.vectors,
        attributes=origin_attributes(origin),
    )
    write_track2(place, track2)
    return Staged("descriptors", place, version)


def log_artifact(run: Any, staged: Staged) -> None:
    """Have W&B keep a staged file as an artifact's next version.

    Args:
        run: The `wandb.Run`.
        staged: Is not copied once more, neither before its upload nor after, to a cache.
    """
    import wandb

    artifact = wandb.Artifact(
        f"{staged.kind}-{run.id}",
        type=_TYPES[staged.kind],
        metadata=dict(staged.version.metadata),
    )
    artifact.add_file(
        str(staged.file), name=_NAMES[staged.kind], policy="immutable", skip_cache=True
    )
    run.log_artifact(artifact, aliases=list(staged.version.aliases))


def remove_staged(folder: Path) -> None:
    """Remove what was staged in a folder, once it is uploaded."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # another piece's files are there, or none ever were
        folder.parent.rmdir()


def _place(folder: Path, kind: Kind, version: Version) -> Path:
    of_step = folder / f"step-{version.step:08d}"
    of_step.mkdir(parents=True, exist_ok=True)
    return of_step / _NAMES[kind]
