"""Which of several processes this one is, by what torchrun or SLURM put into the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from sscd.errors import UserError


@dataclass(frozen=True)
class Rank:
    """One process of several that share work without talking to one another.

    Attributes:
        number: From 0.
        world: How many there are.
        local: From 0, among those of this machine.
    """

    number: int = 0
    world: int = 1
    local: int = 0

    def share(self, partitions: int) -> range:
        """The partitions that are this process's: every `world`-th."""
        return range(self.number, partitions, self.world)


# Of srun's own step first: a job's script sees the job's number of tasks and runs once.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
    ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
)


def current_rank(environment: Mapping[str, str]) -> Rank:
    """The rank that torchrun or srun gave this process; the only one where neither did.

    Raises:
        UserError: What they say makes no sense.
    """
    for names in _LAUNCHERS:
        if names[0] in environment and names[1] in environment:
            values = [environment.get(name, "0") for name in names]
            said = ", ".join(f"{n}={v}" for n, v in zip(names, values, strict=True))
            try:
                number, world, local = map(int, values)
            except ValueError as error:
                raise UserError(f"the environment says {said}; expected numbers") from error
            if not 0 <= number < world or local < 0:
                raise UserError(f"the environment says {said}; expected a rank below the count")
            return Rank(number, world, local)
    return Rank()
