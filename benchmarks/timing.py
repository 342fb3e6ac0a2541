"""How long a call takes."""

import statistics
import time
from collections.abc import Callable


def seconds(call: Callable[[], object], *, repeats: int = 5) -> float:
    """The median of several calls, after one that is not counted."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
