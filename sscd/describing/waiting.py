"""Waiting for the parts that other processes write."""

import time

from sscd.describing.output import Output
from sscd.errors import UserError
from sscd.terminal import working

STALL_S = 1800.0
_POLL_S = 2.0
_NAMED = 5


def wait_for_parts(
    output: Output, *, world: int = 1, stall_s: float = STALL_S, poll_s: float = _POLL_S
) -> None:
    """Wait until all parts are there, with a progress bar.

    Args:
        output: Where they are written.
        world: How many processes write, to name those whose parts are missing.
        stall_s: Seconds without a new part after which no more are expected.
        poll_s: Seconds between looks.

    Raises:
        UserError: No part came for that long.
    """
    missing = output.missing()
    if not missing:
        return
    count = output.request.partitions
    since = time.monotonic()
    with working("waiting for other processes", total=count, unit="parts") as work:
        while missing:
            work.move_to(count - len(missing))
            if time.monotonic() - since > stall_s:
                raise _stalled(output, missing, world, stall_s)
            time.sleep(poll_s)
            before, missing = missing, output.missing()
            if len(missing) < len(before):
                since = time.monotonic()


def _stalled(output: Output, missing: list[int], world: int, stall_s: float) -> UserError:
    shown = ", ".join(map(str, missing[:_NAMED])) + (", …" if len(missing) > _NAMED else "")
    ranks = sorted({number % world for number in missing})
    of_ranks = ", ".join(map(str, ranks[:_NAMED])) + (", …" if len(ranks) > _NAMED else "")
    return UserError(
        f"{output.place.location}: no new part for {stall_s:,.0f} s; {len(missing):,} of "
        f"{output.request.partitions:,} partitions are missing ({shown}), of ranks {of_ranks} of "
        f"{world}; look at what these say, then the same command goes on"
    )
