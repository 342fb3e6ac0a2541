"""Time of the processor."""

import resource


def cpu_seconds() -> float:
    """What this process and those that it has waited for took of the processor."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)
