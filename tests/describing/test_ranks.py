import pytest

from sscd.describing.ranks import Rank, current_rank
from sscd.errors import UserError


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Rank(0, 1, 0)),
        ({"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}, Rank(3, 8, 1)),
        ({"RANK": "3"}, Rank(0, 1, 0)),
        ({"SLURM_PROCID": "5", "SLURM_NTASKS": "6", "SLURM_LOCALID": "2"}, Rank(5, 6, 2)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "6", "SLURM_STEP_NUM_TASKS": "1"}, Rank(0, 1, 0)),
        ({"RANK": "0", "WORLD_SIZE": "2", "SLURM_PROCID": "1", "SLURM_NTASKS": "4"}, Rank(0, 2)),
    ],
)
def test_ranks_of_launchers(environment: dict[str, str], expected: Rank) -> None:
    assert current_rank(environment) == expected


@pytest.mark.parametrize(("rank", "world"), [("2", "2"), ("-1", "2"), ("x", "2"), ("0", "0")])
def test_ranks_that_make_no_sense(rank: str, world: str) -> None:
    with pytest.raises(UserError, match=f"the environment says RANK={rank}, WORLD_SIZE={world}"):
        current_rank({"RANK": rank, "WORLD_SIZE": world})


def test_shares_are_all_partitions_once() -> None:
    shares = [Rank(number, 3).share(10) for number in range(3)]
    assert [list(share) for share in shares] == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]
