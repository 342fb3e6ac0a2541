"""Checkpoints and descriptors as artifacts, staged where a later upload finds them."""

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


def stage_checkpoint(run_dir: Path, checkpoint: Path, version: Version) -> Staged:
    """Keep a checkpoint as it is now, by a second name; where that cannot be, by a copy.

    Raises:
        OSError: There is no space.
    """
    place = _place(run_dir, "checkpoint", version)
    place.unlink(missing_ok=True)
    try:
        place.hardlink_to(checkpoint)
    except OSError:  # a file system without links
        shutil.copyfile(checkpoint, place)
    return Staged("checkpoint", place, version)


def stage_descriptors(
    run_dir: Path, described: tuple[Descriptors, Descriptors], origin: Origin, version: Version
) -> Staged:
    """Write queries and references in track 2's format.

    Raises:
        UserError: Over 256 dimensions, a value that is not finite, or no space.
    """
    queries, references = described
    place = _place(run_dir, "descriptors", version)
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
        staged: Is not copied once more.
    """
    import wandb

    artifact = wandb.Artifact(
        f"{staged.kind}-{run.id}",
        type=_TYPES[staged.kind],
        metadata=dict(staged.version.metadata),
    )
    artifact.add_file(str(staged.file), name=_NAMES[staged.kind], policy="immutable")
    run.log_artifact(artifact, aliases=list(staged.version.aliases))


def remove_staged(run_dir: Path) -> None:
    """Remove what was staged, once it is uploaded."""
    shutil.rmtree(run_dir / STAGED, ignore_errors=True)


def _place(run_dir: Path, kind: Kind, version: Version) -> Path:
    folder = (run_dir / STAGED / f"step-{version.step:08d}").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / _NAMES[kind]
