"""Rows of all ranks on the first one alone, in pieces that its device can hold.

A million descriptors of 256 dimensions are 1 GB. Given to every rank they would cost W of them, on
the device where the collective runs; only rank 0 searches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from sscd.errors import UserError
from sscd.training.ranks.gather import rank, world_size

PIECE = 256 * 2**20
"""Bytes of rows that rank 0's device holds of all ranks at once."""


@dataclass(frozen=True)
class Placed:
    """Rows in the order of their positions.

    Attributes:
        positions: (n,) int64, rising.
        rows: (n, D) float32, on the CPU.
    """

    positions: Tensor
    rows: Tensor


def gather_to_first(
    parts: Sequence[tuple[Tensor, Tensor]],
    *,
    count: int,
    dims: int,
    device: torch.device,
    piece: int = PIECE,
) -> Placed | None:
    """Put the rows of all ranks in order on rank 0; what comes twice is taken once.

    Every rank must call it, one without rows too.

    Args:
        parts: Positions (B,) int64 and float32 rows (B, D) of this rank, on the CPU.
        count: Positions are below it.
        dims: D.
        device: That of the process group's collectives.
        piece: Bytes of rows of all ranks that travel at once.

    Returns:
        The rows on rank 0, None elsewhere.
    """
    if world_size() == 1:
        return _place(parts, count=count, dims=dims)
    positions = torch.cat([part[0] for part in parts] or [torch.empty(0, dtype=torch.int64)])
    rows = torch.cat([part[1] for part in parts] or [torch.empty(0, dims)])
    counts = _counts(len(rows), device)
    at_once = max(1, piece // (world_size() * dims * rows.element_size()))
    order = _Order(count, dims) if rank() == 0 else None
    for start in range(0, max(counts), at_once):
        size = min(at_once, max(counts) - start)
        everywhere = _piece(positions[start : start + size], size, device)
        gathered = _piece(rows[start : start + size], size, device)
        if order is not None:
            for of_rank, (places, values) in enumerate(zip(everywhere, gathered, strict=True)):
                here = min(size, max(0, counts[of_rank] - start))
                order.put(places[:here].cpu(), values[:here].cpu())
    return order.placed() if order is not None else None


def answer_of_first(answer: Callable[[], Any]) -> Any:
    """What `answer` gives rank 0, on all ranks; it runs there alone.

    Raises:
        UserError: On all ranks what `answer` raises; on the others also that rank 0 failed
            otherwise, where it raises what it was. None of them waits for an answer in vain.
    """
    told: list[Any] = [None, None]
    failure: Exception | None = None
    if rank() == 0:
        try:
            told[0] = answer()
        except UserError as error:
            failure, told[1] = error, str(error)
        except Exception as error:  # any: whoever waits cannot know of it
            failure, told[1] = error, f"rank 0 failed: {type(error).__name__}: {error}"
    if distributed.is_initialized():
        distributed.broadcast_object_list(told)
    if failure is not None:
        raise failure
    if told[1] is not None:
        raise UserError(told[1])
    return told[0]


def _place(parts: Sequence[tuple[Tensor, Tensor]], *, count: int, dims: int) -> Placed:
    order = _Order(count, dims)
    for positions, rows in parts:
        order.put(positions, rows)
    return order.placed()


class _Order:
    """Rows at their positions, as they come."""

    def __init__(self, count: int, dims: int) -> None:
        self._rows = torch.empty(count, dims)
        self._seen = torch.zeros(count, dtype=torch.bool)

    def put(self, positions: Tensor, rows: Tensor) -> None:
        fresh = ~self._seen[positions]
        if not fresh.all():
            positions, rows = positions[fresh], rows[fresh]
        self._rows[positions] = rows
        self._seen[positions] = True

    def placed(self) -> Placed:
        positions = self._seen.nonzero().flatten()
        whole = len(positions) == len(self._seen)
        return Placed(positions, self._rows if whole else self._rows[positions])


def _counts(count: int, device: torch.device) -> list[int]:
    own = torch.tensor([count], device=device)
    counts = [torch.empty_like(own) for _ in range(world_size())]
    distributed.all_gather(counts, own)
    return [int(c) for c in counts]


def _piece(part: Tensor, size: int, device: torch.device) -> list[Tensor]:
    """`part`, padded to `size` rows, of all ranks on rank 0; nothing elsewhere."""
    padded = torch.zeros(size, *part.shape[1:], dtype=part.dtype, device=device)
    padded[: len(part)] = part
    if rank() != 0:
        distributed.gather(padded)
        return []
    gathered = [torch.empty_like(padded) for _ in range(world_size())]
    distributed.gather(padded, gathered)
    return gathered
