"""What several real processes agree on, and who of them says what is wrong."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from sscd.errors import UserError
from sscd.training.ranks.meeting import Meeting, decide_for_all, one_voice
from sscd.training.run.run_directory import is_launched_child
from tests.training.free_port import free_port

RANKS = 3
SHORT = timedelta(seconds=1)


def outcome(work: Callable[[], Any]) -> str:
    """What a process would end with."""
    try:
        return f"got {work()}"
    except UserError as error:
        return f"says {error}"
    except SystemExit as stopped:
        return f"leaves with {stopped.code}"


def refuse() -> Any:
    raise UserError("the disk is full")


def fail_alike(meeting: Meeting) -> None:
    with one_voice(lambda: meeting):
        raise UserError("the batch does not divide")


def lose_a_rank(meeting: Meeting) -> None:
    with one_voice(lambda: meeting):
        raise RuntimeError("[gloo/pair.cc] Connection closed by peer [127.0.0.1]:1234")


def _meet(rank: int, port: int, folder: str) -> None:
    meeting = Meeting("127.0.0.1", port, rank=rank, ranks=RANKS)
    told = {
        "decided": outcome(lambda: meeting.decide("run", lambda: {"run": f"chosen by {rank}"})),
        "refused": outcome(lambda: meeting.decide("disk", refuse)),
        "alike": outcome(lambda: fail_alike(meeting)),
        "lost": outcome(lambda: lose_a_rank(meeting)),
    }
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    distributed.init_process_group("gloo", rank=rank, world_size=RANKS)  # at the same port
    summed = torch.tensor([rank])
    distributed.all_reduce(summed)
    told["summed"] = str(int(summed))
    (Path(folder) / f"{rank}.json").write_text(json.dumps(told))
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    folder = tmp_path_factory.mktemp("meeting")
    spawn(_meet, args=(free_port(), str(folder)), nprocs=RANKS)  # type: ignore[no-untyped-call]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(RANKS)]


def test_rank_0_decides(told: list[dict[str, str]]) -> None:
    assert [t["decided"] for t in told] == ["got {'run': 'chosen by 0'}"] * RANKS


def test_what_rank_0_refuses_it_says_alone(told: list[dict[str, str]]) -> None:
    assert [t["refused"] for t in told] == ["says the disk is full", *["leaves with 2"] * 2]


def test_one_of_all_says_what_all_would(told: list[dict[str, str]]) -> None:
    expected = ["leaves with 2", "leaves with 2", "says the batch does not divide"]
    assert sorted(t["alike"] for t in told) == expected


def test_a_lost_rank_is_one_line(told: list[dict[str, str]]) -> None:
    lines = sorted(t["lost"] for t in told)
    assert lines[:2] == ["leaves with 2"] * 2
    assert lines[2].startswith("says another rank has stopped")


def test_the_process_group_meets_at_the_same_port(told: list[dict[str, str]]) -> None:
    assert [t["summed"] for t in told] == ["3"] * RANKS


def test_ranks_that_never_come_are_told_of() -> None:
    port = free_port()
    meeting = Meeting("127.0.0.1", port, rank=0, ranks=2, patience=SHORT)
    with pytest.raises(UserError, match=rf"rank 0 of 2 .* at 127.0.0.1:{port} in 1 s"):
        meeting.decide("run", lambda: "chosen")
    stranger = Meeting("127.0.0.1", free_port(), rank=1, ranks=2, patience=SHORT)
    with pytest.raises(UserError, match="MASTER_ADDR and MASTER_PORT name the host of rank 0"):
        stranger.decide("run", lambda: "chosen")


def test_a_process_alone_decides_and_its_children_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setenv("SSCD_DECIDED", '"of an earlier launch"')
    assert decide_for_all(None, lambda: {"run": "a"}) == {"run": "a"}
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert decide_for_all(None, refuse) == {"run": "a"}
    assert is_launched_child()


def test_a_rank_of_a_launcher_is_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with a status of its own, which a launcher wants to see."""
    monkeypatch.delenv("SSCD_DECIDED", raising=False)
    monkeypatch.setenv("SSCD_RUN_DIRECTORY", "")
    monkeypatch.setenv("LOCAL_RANK", "1")
    meeting = Meeting("127.0.0.1", free_port(), rank=0, ranks=1)
    assert decide_for_all(meeting, lambda: {"run": "a"}) == {"run": "a"}
    assert not is_launched_child()


def test_errors_of_a_process_alone_pass() -> None:
    with pytest.raises(UserError, match="the disk is full"), one_voice(lambda: None):
        refuse()
    with pytest.raises(RuntimeError, match="Connection closed"), one_voice(lambda: None):
        raise RuntimeError("Connection closed by peer")


def test_other_errors_of_ranks_pass() -> None:
    meeting = Meeting("127.0.0.1", free_port(), rank=0, ranks=2)
    with pytest.raises(RuntimeError, match="shapes"), one_voice(lambda: meeting):
        raise RuntimeError("shapes do not fit")
