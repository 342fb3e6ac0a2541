"""Checkpoints that are whole or not there, whatever happens while they are written."""

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from sscd.files import atomic_path
from sscd.training.checkpoints.place import is_validation_due


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, syncs, and renames; the file of before stays until then."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Save a checkpoint.

        Raises:
            UserError: The directory cannot be written, or the disk is full.
        """
        with atomic_path(Path(path)) as temporary:
            try:
                torch.save(checkpoint, temporary)
            except RuntimeError as error:  # how torch reports a write that fails midway
                raise OSError(None, "the write stopped midway, the disk may be full") from error


def begins_with_validation(path: Path) -> bool:
    """Whether a run that goes on from a checkpoint first validates, which was cut short."""
    content = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    return is_validation_due(content)
