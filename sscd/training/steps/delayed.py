"""Small values of a step, read on the host some steps later, so that the device never waits."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

GPU_DELAY = 2
"""Steps between a step and the look at its values on a GPU. The host queues steps ahead of the
device, so that waiting for the last but one leaves the device a whole step of work."""

Values = dict[str, float]


@dataclass(frozen=True)
class _Waiting:
    step: int
    names: tuple[str, ...]
    copied: Tensor  # (len(names),) on the host, filled once `done` has happened
    done: torch.cuda.Event | None

    def read(self) -> tuple[int, Values]:
        if self.done is not None:
            self.done.synchronize()
        return self.step, dict(zip(self.names, self.copied.tolist(), strict=True))


class DelayedReader:
    """A queue of scalars that travel from the device while it works on.

    Which values come when depends on the number of steps alone, never on the time they take: where
    ranks push the same values at the same steps, they read the same at the same steps.

    Args:
        delay: Steps after which values are read; None for `GPU_DELAY` on a GPU and 0 on a CPU.

    Example:
        >>> reader = DelayedReader(delay=1)
        >>> reader.push(0, {"loss": torch.tensor(3.0)})
        >>> list(reader.pop())
        []
        >>> reader.push(1, {"loss": torch.tensor(2.0)})
        >>> list(reader.pop())
        [(0, {'loss': 3.0})]
        >>> list(reader.drain())
        [(1, {'loss': 2.0})]
    """

    def __init__(self, delay: int | None = None) -> None:
        if delay is not None and delay < 0:
            raise ValueError(f"delay got {delay}; expected 0 or more, or None")
        self.delay = delay
        self._waiting: deque[_Waiting] = deque()

    def push(self, step: int, values: Mapping[str, Tensor]) -> None:
        """Send scalars, all on one device, on their way to the host.

        Args:
            step: What they are of.
            values: Tensors of one element; none means that there is nothing to send.
        """
        if not values:
            return
        together = torch.stack([value.detach().reshape(()).double() for value in values.values()])
        names = tuple(values)
        if together.device.type != "cuda":
            self._waiting.append(_Waiting(step, names, together.cpu(), None))
            return
        copied = torch.empty(len(names), dtype=together.dtype, pin_memory=True)
        copied.copy_(together, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record(torch.cuda.current_stream(together.device))
        self._waiting.append(_Waiting(step, names, copied, done))

    def pop(self) -> Iterator[tuple[int, Values]]:
        """The values, with their step, after which at least `delay` others have been pushed."""
        while self._waiting and len(self._waiting) > self._steps():
            yield self._waiting.popleft().read()

    def drain(self) -> Iterator[tuple[int, Values]]:
        """All values that are on their way; waits for them."""
        while self._waiting:
            yield self._waiting.popleft().read()

    def _steps(self) -> int:
        if self.delay is not None:
            return self.delay
        return 0 if self._waiting[-1].done is None else GPU_DELAY
