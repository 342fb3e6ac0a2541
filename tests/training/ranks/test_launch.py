"""How many processes a launcher started, and which settings contradict it."""

from typing import Any

import pytest
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy

from sscd.errors import UserError
from sscd.training.ranks.launch import COLLECTIVE_TIMEOUT, Launch, find_launch
from sscd.training.ranks.rank_environment import RankEnvironment

OPEN: dict[str, Any] = {"devices": "auto", "num_nodes": 1, "strategy": "auto", "plugins": None}
TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "x",
    "WORLD_SIZE": "16",
    "LOCAL_WORLD_SIZE": "8",
    "RANK": "9",
    "LOCAL_RANK": "1",
    "GROUP_RANK": "1",
}
SRUN = {
    "SLURM_JOB_ID": "77",
    "SLURM_NTASKS": "16",
    "SLURM_STEP_NUM_TASKS": "16",
    "SLURM_NTASKS_PER_NODE": "8",
    "SLURM_NNODES": "2",
    "SLURM_PROCID": "9",
}
POD = {"MASTER_ADDR": "first", "MASTER_PORT": "29500", "WORLD_SIZE": "4", "RANK": "3"}


def shape(launch: Launch) -> tuple[str, int | None, int]:
    return launch.launcher, launch.processes, launch.nodes


@pytest.fixture
def as_srun(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in SRUN.items():  # Lightning's environment reads the process's own
        monkeypatch.setenv(key, value)


def test_torchrun_is_asked_first() -> None:
    launch = find_launch(OPEN, TORCHRUN | SRUN)
    assert shape(launch) == ("torchrun", 8, 2)
    assert isinstance(launch.environment, TorchElasticEnvironment)


def test_srun(as_srun: None) -> None:
    launch = find_launch(OPEN, SRUN)
    assert shape(launch) == ("SLURM", 8, 2)
    assert isinstance(launch.environment, SLURMEnvironment)
    assert not launch.environment.auto_requeue


def test_a_batch_script_is_no_rank() -> None:
    script = {"SLURM_JOB_ID": "77", "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}
    launch = find_launch(OPEN, script)
    assert shape(launch) == ("own", None, 1)
    assert launch.environment is not None, "Lightning would take it for a rank of srun's"
    with pytest.raises(UserError, match="put srun before the command"):
        find_launch(OPEN, script | {"SLURM_NTASKS": "8"})


def test_an_interactive_job_is_no_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_launch(OPEN, SRUN | {"SLURM_JOB_NAME": "bash"}).launcher == "own"


@pytest.mark.parametrize(
    ("variables", "processes", "nodes"),
    [
        (POD, 1, 4),
        (POD | {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, 2, 2),
        (POD | {"LOCAL_RANK": "1"}, 4, 1),
    ],
)
def test_variables(variables: dict[str, str], processes: int, nodes: int) -> None:
    launch = find_launch(OPEN, variables)
    assert shape(launch) == ("variables", processes, nodes)
    assert isinstance(launch.environment, RankEnvironment)


def test_variables_leave_the_nodes_to_the_settings() -> None:
    assert find_launch(OPEN | {"num_nodes": 2}, POD | {"LOCAL_RANK": "1"}).processes == 2
    assert find_launch(OPEN | {"devices": 1}, POD | {"LOCAL_RANK": "0"}).nodes == 4


def test_alone() -> None:
    assert shape(find_launch(OPEN, {})) == ("own", None, 1)
    assert find_launch(OPEN, {"RANK": "0", "WORLD_SIZE": "1"}).launcher == "own"
    assert find_launch(OPEN, {}).meeting({}) is None


def test_children_of_a_lone_pod_are_no_ranks_of_its_operator() -> None:
    """RANK is the pod's there, and WORLD_SIZE that of its first process's launch."""
    child = POD | {"RANK": "0", "WORLD_SIZE": "8", "NODE_RANK": "0", "LOCAL_RANK": "3"}
    assert find_launch(OPEN, child).launcher == "variables"
    assert shape(find_launch(OPEN, child | {"SSCD_DECIDED": "{}"})) == ("own", None, 1)


def test_several_nodes_need_to_know_their_number() -> None:
    two = OPEN | {"num_nodes": 2}
    with pytest.raises(UserError, match="set MASTER_PORT, NODE_RANK on each node"):
        find_launch(two, {"MASTER_ADDR": "first"})
    known = {"MASTER_ADDR": "first", "MASTER_PORT": "1234", "NODE_RANK": "1"}
    meeting = find_launch(two, known).meeting(known)
    assert meeting is not None
    assert (meeting.place, meeting.rank, meeting.ranks) == ("first:1234", 1, 2)
    children = known | {"LOCAL_RANK": "1"}
    assert find_launch(two, children).meeting(children) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"SLURM_NTASKS_PER_NODE": "3"}, "16 processes at 3 a node"),
        ({"SLURM_NNODES": "4"}, "on 4 nodes"),
        ({"SLURM_NTASKS": "many"}, "SLURM_NTASKS='many'"),
    ],
)
def test_sruns_that_do_not_add_up(changed: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        find_launch(OPEN, SRUN | changed)


def test_srun_without_tasks_a_node() -> None:
    variables = {key: value for key, value in SRUN.items() if key != "SLURM_NTASKS_PER_NODE"}
    with pytest.raises(UserError, match="give --ntasks-per-node"):
        find_launch(OPEN, variables)


def test_open_settings_are_filled_in() -> None:
    settings = find_launch(OPEN, TORCHRUN).settings(OPEN, gpus=8)
    assert (settings["devices"], settings["num_nodes"]) == (8, 2)
    assert isinstance(settings["strategy"], DDPStrategy)
    assert settings["strategy"]._timeout == COLLECTIVE_TIMEOUT
    assert settings["strategy"]._ddp_kwargs["gradient_as_bucket_view"]


def test_settings_that_agree_are_kept() -> None:
    given = OPEN | {"devices": [0, 1, 2, 3, 4, 5, 6, 7], "num_nodes": 2, "strategy": "fsdp"}
    settings = find_launch(given, TORCHRUN).settings(given, gpus=8)
    assert "devices" not in settings
    assert "strategy" not in settings


@pytest.mark.parametrize(
    ("given", "gpus", "words"),
    [
        (
            {"devices": 4},
            8,
            "trainer.devices asks for 4 processes a node, and torchrun says",
        ),
        ({"num_nodes": 4}, 8, "trainer.num_nodes is 4, and torchrun"),
        ({}, 1, "this process sees 1 GPU"),
    ],
)
def test_contradictions_are_refused(given: dict[str, Any], gpus: int, words: str) -> None:
    trainer = OPEN | given
    with pytest.raises(UserError, match=words):
        find_launch(trainer, TORCHRUN).settings(trainer, gpus=gpus)


def test_gpus_of_a_pod_do_not_lie_idle_in_silence() -> None:
    with pytest.raises(UserError, match=r"sees 8 GPUs; start it with torchrun"):
        find_launch(OPEN, POD).settings(OPEN, gpus=8)
    one = OPEN | {"devices": 1}
    assert find_launch(one, POD).settings(one, gpus=8)["num_nodes"] == 4


def test_gpus_of_a_srun_task_do_not_lie_idle_in_silence() -> None:
    fewer = SRUN | {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "1"}
    with pytest.raises(UserError, match=r"sees 8 GPUs; ask for --ntasks-per-node 8"):
        find_launch(OPEN, fewer).settings(OPEN, gpus=8)


def test_the_strategy_of_a_process_that_starts_the_others() -> None:
    alone = find_launch(OPEN, {})
    assert "strategy" not in alone.settings(OPEN, gpus=0)
    assert "strategy" not in alone.settings(OPEN, gpus=1)
    assert isinstance(alone.settings(OPEN, gpus=2)["strategy"], DDPStrategy)
    assert isinstance(alone.settings(OPEN | {"devices": "2"}, gpus=0)["strategy"], DDPStrategy)
    assert isinstance(alone.settings(OPEN | {"strategy": "ddp"}, gpus=0)["strategy"], DDPStrategy)


def test_ones_own_cluster_environment_stays() -> None:
    own = RankEnvironment(POD, processes=1)
    trainer = OPEN | {"plugins": own}
    assert find_launch(trainer, POD).settings(trainer, gpus=0)["plugins"] == [own]
