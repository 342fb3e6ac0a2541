"""A network as a graph without Python, captured by `torch.export`, for any batch and any size.

Some networks take pictures of one size only: their position embeddings have a length. They are
captured at the side that pictures are resized to.
"""

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.plain_file import first_line

TOLERANCE = 1e-4
"""How far a coordinate of a unit descriptor may be from torch's own in a file that is written."""

SMALLEST = 64
"""The smallest side that is tried; some networks shrink smaller pictures to nothing."""


@dataclass(frozen=True, eq=False)
class Capture:
    """A network as a graph.

    Attributes:
        network: On the CPU, what was captured.
        program: The graph: pictures (batch, 3, height, width) uint8 → (batch, D) float32.
        side: The one side of square pictures that it takes; None where it takes any size.
        tried: A side that it is checked at where it takes any.
    """

    network: nn.Module
    program: ExportedProgram
    side: int | None
    tried: int

    @property
    def sizes(self) -> str:
        """The sizes it takes, in words."""
        return "any" if self.side is None else f"{self.side}x{self.side}"

    def check(self, run: Callable[[Tensor], Tensor], *, what: str) -> float:
        """Compare what a file computes with what the network does, on random pictures.

        Args:
            run: Describes pictures (batch, 3, height, width) uint8 with the file.
            what: What is checked, for messages.

        Returns:
            The largest difference of a coordinate.

        Raises:
            UserError: It is over `TOLERANCE`.
        """
        worst = 0.0
        for pictures in self._pictures():
            with torch.no_grad():
                expected = self.network(pictures)
            difference = float((run(pictures) - expected).abs().max())
            if not difference <= TOLERANCE:  # NaN is not
                raise UserError(
                    f"{what}: its descriptors differ from torch's by {difference:.2g}, more than "
                    f"{TOLERANCE:g}, so it was not written; use safetensors for this network"
                )
            worst = max(worst, difference)
        return worst

    def _pictures(self) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(0)
        side = self.side or self.tried
        shapes = [(1, side, side), (3, side, side)]
        if self.side is None:
            shapes[1] = (3, SMALLEST, SMALLEST + 37)
        for batch, height, width in shapes:
            size = (batch, 3, height, width)
            yield torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)


def capture(trained: TrainedNetwork) -> Capture:
    """Capture a network.

    Args:
        trained: The network, which is not changed, and how its pictures are resized.

    Raises:
        UserError: It cannot be captured, or takes one size only and pictures are not square.
    """
    network = copy.deepcopy(trained.network).cpu().eval()
    side = trained.inference.size
    try:
        return _checked(network, _any_size(network, max(side, SMALLEST)), None, tried=side)
    except Exception as error:  # tracing and its guards fail in any way at all
        reason = error
    if trained.inference.mode != "square":
        raise UserError(
            f"{trained.network.config.backbone} takes pictures of one size, and "
            f"`{trained.inference.mode}` gives many; add --resize square --size {side}"
        ) from reason
    try:
        return _checked(network, _one_size(network, side), side, tried=side)
    except Exception as error:
        backbone = trained.network.config.backbone
        raise UserError(
            f"torch.export cannot take {backbone}: {first_line(error)[:200]}; use safetensors"
        ) from error


def _checked(
    network: nn.Module, program: ExportedProgram, side: int | None, *, tried: int
) -> Capture:
    captured = Capture(network, program, side, tried)
    runnable = program.module()
    with torch.no_grad(), quiet():
        captured.check(runnable, what="torch.export")
    return captured


def _any_size(network: nn.Module, side: int) -> ExportedProgram:
    # Two different sides, lest height and width be taken for one and the same.
    program = _export(network, (side, side + 32), {0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO})
    if not all(isinstance(_input_shape(program)[axis], torch.SymInt) for axis in (0, 2, 3)):
        raise ValueError("the network settles for one size")
    return program


def _one_size(network: nn.Module, side: int) -> ExportedProgram:
    program = _export(network, (side, side), {0: Dim.AUTO})
    if not isinstance(_input_shape(program)[0], torch.SymInt):
        raise ValueError("the network settles for one batch size")
    return program


def _export(network: nn.Module, sides: tuple[int, int], dynamic: dict[int, Any]) -> ExportedProgram:
    pictures = torch.zeros(2, 3, *sides, dtype=torch.uint8)
    with torch.no_grad(), quiet():
        program = torch.export.export(network, (pictures,), dynamic_shapes=(dynamic,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names files of this machine
    return program


def _input_shape(program: ExportedProgram) -> torch.Size:
    inputs = program.graph_signature.user_inputs
    (node,) = (node for node in program.graph.nodes if node.name in inputs)
    shape: torch.Size = node.meta["val"].shape
    return shape


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what exporters say about themselves from the person."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
