"""Cross-batch memory: descriptors of the last steps as more negatives (Wang et al. 2020).

Wang, Zhang, Huang and Scott, "Cross-Batch Memory for Embedding Learning" (CVPR 2020, arXiv
1912.06798), section 3: once features drift slowly, those of earlier steps stand in for those of a
larger batch, without gradient and almost for free.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sscd.losses.relations import NO_PICTURE
from sscd.losses.rows import Remembered, Rows

# A mixed view shows two pictures.
_CONTENTS = 2


@dataclass(frozen=True)
class MemoryConfig:
    """How many rows of earlier steps serve as negatives.

    Attributes:
        size: Rows that are kept; 0 turns the memory off.
        delay: Share of the training, 0 to 1, before they are used: at first descriptors drift fast
            and old ones mislead.
        entropy: Whether they count for the entropy too, without gradient: as candidates for nearest
            neighbours, or in the mean of the other kinds.
    """

    size: int = 0
    delay: float = 0.0
    entropy: bool = False

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"memory.size got {self.size}; expected 0 or more rows")
        if not 0 <= self.delay <= 1:
            raise ValueError(f"memory.delay got {self.delay}; expected a share from 0 to 1")

    def used_at(self, progress: float) -> bool:
        """Whether old rows count when `progress` (0 to 1) of the training is done.

        >>> [MemoryConfig(size=8, delay=0.5).used_at(p) for p in (0.0, 0.5)]
        [False, True]
        """
        return self.size > 0 and progress >= self.delay


class MemoryQueue(nn.Module):
    """A ring of the last rows of all ranks, the same on every rank, kept in checkpoints.

    Args:
        config: Its size, above 0.
        dims: D, of a descriptor.
    """

    rows: Tensor
    contents: Tensor
    count: Tensor
    cursor: Tensor

    def __init__(self, config: MemoryConfig, *, dims: int) -> None:
        super().__init__()
        if config.size < 1:
            raise ValueError(f"memory.size got {config.size}; expected at least 1 row")
        self.config = config
        self.register_buffer("rows", torch.zeros(config.size, dims))
        self.register_buffer("contents", torch.full((config.size, _CONTENTS), NO_PICTURE))
        # On the device, like the rows, so that no step waits to know them.
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("cursor", torch.zeros((), dtype=torch.int64))

    def remembered(self) -> Remembered:
        """What is kept, to be used before the next `enqueue`."""
        places = torch.arange(self.config.size, device=self.rows.device)
        filled = places < self.count
        return Remembered(Rows(self.rows, self.contents), filled, self.config.entropy)

    @torch.no_grad()
    def enqueue(self, step: Rows) -> None:
        """Keep the rows of a step in place of the oldest.

        Args:
            step: (M, D) descriptors of all ranks in rank order, and contents (M, 1) or (M, 2); of
                more than the memory holds the last are kept.

        Raises:
            ValueError: Rows show more than two pictures.
        """
        shown = step.contents.shape[1]
        if shown > _CONTENTS:
            raise ValueError(f"contents got {shown} pictures a row; expected at most {_CONTENTS}")
        size = self.config.size
        rows, contents = step.descriptors[-size:], step.contents[-size:]
        places = torch.arange(len(rows), device=self.rows.device)
        places = (places + self.cursor) % size
        contents = functional.pad(contents, (0, _CONTENTS - shown), value=NO_PICTURE)
        self.rows.index_copy_(0, places, rows.to(self.rows.dtype))
        self.contents.index_copy_(0, places, contents)
        self.count.add_(len(rows)).clamp_(max=size)
        self.cursor.add_(len(rows)).remainder_(size)


def keys_of(memory: MemoryQueue | None, *, prefix: str) -> list[str]:
    """The names of a memory's buffers in a module that holds it; none without a memory."""
    return [] if memory is None else list(memory.state_dict(prefix=prefix))


def fit_memory(state: dict[str, Any], memory: MemoryQueue | None, *, prefix: str) -> None:
    """Make a checkpoint's weights fit the memory that is configured now.

    A memory of another size, or one that the interrupted training did not have, starts empty.

    Args:
        state: The checkpoint's state dict, changed in place.
        memory: The memory in use, if any.
        prefix: Of the memory's keys.
    """
    own: Mapping[str, Tensor] = {} if memory is None else memory.state_dict(prefix=prefix)
    saved = {key: value.shape for key, value in state.items() if key.startswith(prefix)}
    if saved != {key: value.shape for key, value in own.items()}:
        for key in saved:
            del state[key]
        state.update({key: value.clone() for key, value in own.items()})
