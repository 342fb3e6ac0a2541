"""A real Ray cluster of two workers on this machine, of which one is lost in the middle."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sscd.data.pictures.sources import PictureSource
from sscd.describing.local import describe_parts
from sscd.describing.output import Described
from sscd.describing.ray_cluster import Pool
from sscd.describing.ray_engine import describe_on_ray
from sscd.errors import UserError
from sscd.formats.parquet.files import open_parquet
from tests.conftest import REPOSITORY
from tests.describing import hostile
from tests.describing.sets import check_same, files, photos
from tests.models.networks import small_spec, write_checkpoint

pytestmark = pytest.mark.slow
PARTITIONS = 11
MEMORY = 100_000_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without processors, and two workers of one each."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(2):
            made.add_node(num_cpus=1, object_store_memory=MEMORY)
        ray.init(made.address, log_to_driver=False, logging_level=logging.ERROR)
        ray.cloudpickle.register_pickle_by_value(hostile)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.fixture
def source(tmp_path: Path) -> PictureSource:
    made = photos(tmp_path / "photos", count=43)
    (tmp_path / "photos" / "05.png").write_bytes(b"broken")
    return made


@pytest.fixture
def local(source: PictureSource, tmp_path: Path) -> Path:
    """What the engine of this machine makes of the pictures."""
    describe_parts(small_spec(), source, str(tmp_path / "local"), partition=4)
    return tmp_path / "local"


def check(described: Described, out: Path, local: Path) -> None:
    assert (described.described, len(described.failures)) == (42, 1)
    assert sorted(files(out)) == sorted(files(local)), "each part once, and nothing half written"
    assert files(out)["unreadable.tsv"] == files(local)["unreadable.tsv"]
    check_same(open_parquet(out), open_parquet(local), bits=False)


def test_the_result_is_that_of_the_local_engine(
    cluster: Any, source: PictureSource, local: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    described = describe_on_ray(small_spec(), source, str(out), partition=4)
    assert described.made == PARTITIONS
    check(described, out, local)
    assert describe_on_ray(small_spec(), source, str(out), partition=4).made == 0


def test_each_engine_goes_on_with_what_the_other_began(
    cluster: Any, source: PictureSource, local: Path, tmp_path: Path
) -> None:
    before = files(local)
    for number in (1, 4, 9):
        (local / f"part-{number:05d}-of-{PARTITIONS:05d}.parquet").unlink()
    kept = {path: path.stat().st_mtime_ns for path in local.glob("*.parquet")}
    pool = Pool(actors=1)
    described = describe_on_ray(small_spec(workers=1), source, str(local), partition=4, pool=pool)
    assert described.made == 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert sorted(files(local)) == sorted(before)


def lose_amid(
    cluster: Any,
    source: PictureSource,
    out: Path,
    lose: Callable[[int, str], object],
) -> Described:
    """Describe pictures, and lose whoever holds one of them when the others are nearly done."""
    marker = out.parent / "marker"
    hostile_source = hostile.pausing(source, at=13, marker=marker)
    with ThreadPoolExecutor(1) as thread:
        running: Future[Described] = thread.submit(
            describe_on_ray, small_spec(), hostile_source, str(out), partition=4
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not running.done():
            if marker.exists() and marker.read_text() and len(list(out.glob("*.parquet"))) >= 3:
                break
            time.sleep(0.05)
        assert not running.done(), running.exception()
        done = {path.name for path in out.glob("*.parquet")}
        assert 3 <= len(done) < PARTITIONS
        assert f"part-00003-of-{PARTITIONS:05d}.parquet" not in done
        process, node = marker.read_text().split()
        lose(int(process), node)
        return running.result(timeout=180)


def test_a_worker_is_killed(
    cluster: Any, source: PictureSource, local: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    described = lose_amid(cluster, source, out, lambda process, _: os.kill(process, signal.SIGKILL))
    check(described, out, local)


def test_a_machine_is_lost(
    cluster: Any, source: PictureSource, local: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def remove(_: int, node: str) -> None:
        [lost] = [worker for worker in cluster.worker_nodes if worker.node_id == node]
        cluster.remove_node(lost)

    try:
        described = lose_amid(cluster, source, out, remove)
    finally:
        cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    check(described, out, local)


def test_what_an_actor_says_to_the_user_arrives(
    cluster: Any, source: PictureSource, local: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"^the cache is full; make room$"):
        describe_on_ray(small_spec(), hostile.refusing(source), str(out), partition=4)
    described = describe_on_ray(small_spec(), source, str(out), partition=4)
    assert described.made >= 1
    check(described, out, local)


def test_the_command_is_quiet(
    cluster: Any, source: PictureSource, local: Path, tmp_path: Path
) -> None:
    checkpoint, out = write_checkpoint(tmp_path / "a.ckpt"), tmp_path / "out"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sscd", "describe", source.location, str(out)),
            *("--checkpoint", str(checkpoint), "--batch_size", "4", "--partition", "4"),
            *("--engine", "ray", "--ray_address", cluster.address),
        ],
        cwd=REPOSITORY,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "42 descriptors of 8 dimensions in 11 parts" in done.stdout
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("describing pictures on ")]
    assert len(said) == 1, done.stderr
    assert "1 picture could not be read" in said[0]
    check_same(open_parquet(out), open_parquet(local), bits=False)
