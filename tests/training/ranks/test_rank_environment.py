"""Ranks from the variables that Kubernetes operators set."""

import pytest

from sscd.errors import UserError
from sscd.training.ranks.rank_environment import RankEnvironment

VARIABLES = {"MASTER_ADDR": "first", "MASTER_PORT": "29500", "WORLD_SIZE": "4", "RANK": "3"}


def test_two_processes_on_each_of_two_nodes() -> None:
    environment = RankEnvironment(VARIABLES | {"LOCAL_RANK": "1"}, processes=2)
    assert (environment.main_address, environment.main_port) == ("first", 29500)
    assert (environment.world_size(), environment.global_rank()) == (4, 3)
    assert (environment.node_rank(), environment.local_rank()) == (1, 1)
    assert environment.creates_processes_externally
    environment.validate_settings(num_devices=2, num_nodes=2)
    with pytest.raises(ValueError, match="WORLD_SIZE 4"):
        environment.validate_settings(num_devices=2, num_nodes=1)


def test_without_a_local_rank_each_process_is_a_node() -> None:
    environment = RankEnvironment(VARIABLES, processes=1)
    assert (environment.node_rank(), environment.local_rank()) == (3, 0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"MASTER_PORT": ""}, "MASTER_PORT is not set"),
        ({"RANK": "4"}, "stay below"),
        ({"LOCAL_RANK": "2"}, "stay below"),
        ({"RANK": "first"}, "RANK='first'"),
        ({"MASTER_PORT": "-1"}, "MASTER_PORT='-1'"),
    ],
)
def test_nonsense_is_named(changed: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        RankEnvironment(VARIABLES | changed, processes=2)
