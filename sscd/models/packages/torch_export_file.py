"""A trained network as a `torch.export` program, for torch without this package.

It takes uint8 pictures (batch, 3, height, width), RGB, which it normalises, and returns float32
unit rows (batch, D).
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sscd.files import atomic_path
from sscd.models.packages.capture import Capture, quiet


def write_torch_export(path: Path, captured: Capture, texts: Mapping[str, str]) -> float:
    """Write a network as a program, once the file, read back, agrees with it.

    Args:
        path: The file to write, which torch wants to end in `.pt2`.
        captured: The network.
        texts: What the file says of itself, as `extra_files`.

    Returns:
        The largest difference of a coordinate from the network's, on random pictures.

    Raises:
        UserError: The program computes something else, or the file cannot be written.
    """
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file, quiet():
            target: Any = _UntilItFails(file)
            torch.export.save(captured.program, target, extra_files=dict(texts))
            if target.failure is not None:
                raise target.failure
        module = open_program(temporary)

        def run(pictures: Tensor) -> Tensor:
            with torch.no_grad():
                described: Tensor = module(pictures)
            return described

        return captured.check(run, what=str(path))


class _UntilItFails(io.RawIOBase):
    """A file that keeps its first failure to itself: torch's writer ends the process at one."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self.failure: OSError | None = None
        self._file = file

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence)) if self.failure is None else 0

    def write(self, data: Any) -> int:
        if self.failure is None:
            try:
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                self.failure = error
        return memoryview(data).nbytes


def open_program(path: Path) -> nn.Module:
    """Open a program on the CPU.

    Raises:
        Exception: torch's own, where it cannot.
    """
    with path.open("rb") as file, quiet():
        module: nn.Module = torch.export.load(file).module()
    return module
