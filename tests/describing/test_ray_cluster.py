"""How many actors a cluster has room for, told without one."""

from types import SimpleNamespace
from typing import Any

import pytest

from sscd.describing.ray_cluster import Pool, connected, settle
from sscd.errors import UserError
from tests.models.networks import small_spec

SMALL = {"CPU": 4.0}
GPUS = {"CPU": 16.0, "GPU": 4.0}


def cluster(*machines: dict[str, float], dead: int = 0) -> Any:
    nodes = [{"Alive": place >= dead, "Resources": m} for place, m in enumerate(machines)]
    return SimpleNamespace(nodes=lambda: nodes)


def settled(ray: Any, pool: Pool, *, device: Any = "auto", workers: int = 3) -> Pool:
    spec = small_spec(workers=workers)
    object.__setattr__(spec, "device", device)
    return settle(pool, ray, spec)


@pytest.mark.parametrize(
    ("machines", "asked", "expected"),
    [
        ((SMALL, SMALL), Pool(), Pool(8, 1, 0.0)),
        ((SMALL, SMALL), Pool(cpus=3), Pool(2, 3, 0.0)),
        ((SMALL, SMALL), Pool(actors=5), Pool(5, 1, 0.0)),
        ((SMALL,), Pool(actors=1, cpus=64), Pool(1, 64, 0.0)),
        ((GPUS, GPUS), Pool(), Pool(8, 3, 1.0)),
        ((GPUS, SMALL), Pool(), Pool(4, 3, 1.0)),
        ((GPUS,), Pool(gpus=0.5), Pool(8, 2, 0.5)),
        ((GPUS,), Pool(gpus=0, cpus=2), Pool(8, 2, 0.0)),
        (({"CPU": 2.0, "GPU": 8.0},), Pool(), Pool(2, 1, 1.0)),
        (({}, SMALL), Pool(), Pool(4, 1, 0.0)),
    ],
)
def test_what_is_left_open(machines: tuple[Any, ...], asked: Pool, expected: Pool) -> None:
    assert settled(cluster(*machines), asked) == expected


def test_the_cpu_may_be_asked_for() -> None:
    assert settled(cluster(GPUS), Pool(), device="cpu") == Pool(16, 1, 0.0)


def test_gpus_that_are_asked_for_must_be_there() -> None:
    assert settled(cluster(GPUS), Pool(), device="cuda") == Pool(4, 3, 1.0)
    for machines, pool in (((SMALL,), Pool()), ((GPUS,), Pool(gpus=0))):
        with pytest.raises(UserError, match="--device cuda: the Ray cluster has no GPU"):
            settled(cluster(*machines), pool, device="cuda")


def test_machines_that_left_do_not_count() -> None:
    assert settled(cluster(GPUS, SMALL, dead=1), Pool()) == Pool(4, 1, 0.0)


def test_no_room_is_an_error() -> None:
    with pytest.raises(UserError, match="no machine of the Ray cluster has 5 CPUs and 0 GPUs"):
        settled(cluster(SMALL), Pool(cpus=5))
    with pytest.raises(UserError, match="3 CPUs and 1 GPUs for an actor"):
        settled(cluster(SMALL), Pool(gpus=1.0))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_cluster_that_is_not_there(
    address: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", address)
    asked = connected(address if by == "argument" else None)
    with pytest.raises(UserError, match=f"--ray_address {address}: cannot connect"), asked:
        pass
