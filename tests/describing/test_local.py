"""The engine of this machine: parts that do not depend on who wrote them, and going on."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sscd.data.descriptors import Descriptors
from sscd.data.pictures.sources import PictureSource
from sscd.data.records import ImageSet
from sscd.describing.local import describe_parts
from sscd.describing.output import Output
from sscd.errors import UserError
from sscd.formats.parquet.files import open_parquet
from tests.describing.sets import check_same, files, photos
from tests.models.networks import small_spec


@pytest.fixture
def source(tmp_path: Path) -> PictureSource:
    made = photos(tmp_path / "photos", count=22)
    (tmp_path / "photos" / "05.png").write_bytes(b"broken")
    return made


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)


def whole(source: PictureSource) -> Descriptors:
    return small_spec(batch_size=3).build()(source.pictures)


@pytest.mark.parametrize(
    ("partition", "batch_size", "workers"),
    [(7, 3, 0), (7, 64, 0), (100, 3, 0), (1, 1, 0), (6, 2, 2)],
)
def test_parts_hold_what_a_describer_gives(
    source: PictureSource, tmp_path: Path, partition: int, batch_size: int, workers: int
) -> None:
    out = tmp_path / "out"
    spec = small_spec(batch_size=batch_size, workers=workers)
    described = describe_parts(spec, source, str(out), partition=partition)
    assert described is not None
    assert (described.described, described.made) == (21, -(-22 // partition))
    [failure] = described.failures
    assert (failure.id, failure.path) == ("05", str(tmp_path / "photos" / "05.png"))
    check_same(open_parquet(out), whole(source), bits=False)


def test_a_second_call_does_nothing(
    source: PictureSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = describe_parts(small_spec(), source, str(out), partition=7)
    before = files(out)
    monkeypatch.setattr(Output, "write_part", None)
    again = describe_parts(small_spec(), source, str(out), partition=7)
    assert first is not None
    assert again is not None
    assert (again.made, again.failures) == (0, first.failures)
    assert files(out) == before


def test_what_is_missing_is_made_and_no_more(source: PictureSource, tmp_path: Path) -> None:
    out = tmp_path / "out"
    describe_parts(small_spec(), source, str(out), partition=4)
    before, times = files(out), {path: path.stat().st_mtime_ns for path in out.glob("*.parquet")}
    gone = [out / "part-00001-of-00006.parquet", out / "part-00005-of-00006.parquet"]
    for path in gone:
        path.unlink()
    described = describe_parts(small_spec(), source, str(out), partition=4)
    assert described is not None
    assert described.made == 2
    assert files(out) == before
    for path, time in times.items():
        assert (path.stat().st_mtime_ns == time) == (path not in gone)


@pytest.mark.parametrize(
    ("number", "world"), [("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS")]
)
def test_ranks_share_the_parts(
    number: str,
    world: str,
    source: PictureSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    describe_parts(small_spec(), source, str(alone), partition=4)
    monkeypatch.setenv(world, "3")
    for rank in (2, 1):
        monkeypatch.setenv(number, str(rank))
        assert describe_parts(small_spec(), source, str(together), partition=4) is None
        parts = sorted(path.name[5:10] for path in together.glob("*.parquet"))
        assert parts == [f"{n:05d}" for n in range(6) if rank <= n % 3]
    monkeypatch.setenv(number, "0")
    described = describe_parts(small_spec(), source, str(together), partition=4)
    assert described is not None
    assert described.described == 21
    assert files(together) == files(alone)


def test_rank_0_gives_up_on_ranks_that_do_not_come(
    source: PictureSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match=r"3 of 6 partitions are missing \(1, 3, 5\), of ranks 1"):
        describe_parts(small_spec(), source, str(tmp_path / "out"), partition=4, stall_s=0)
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 3


def test_behind_a_url(source: PictureSource, tmp_path: Path) -> None:
    out = f"memory:/{tmp_path}/out"
    described = describe_parts(small_spec(), source, out, partition=7)
    assert described is not None
    assert described.location == out
    check_same(open_parquet(out), whole(source), bits=False)


def test_processes_write_the_same_parts(source: PictureSource, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    describe_parts(small_spec(), source, str(one), partition=4)
    described = describe_parts(small_spec(), source, str(two), partition=4, processes=2)
    assert described is not None
    assert (described.described, described.made) == (21, 6)
    check_same(open_parquet(two), open_parquet(one), bits=False)


@dataclass(frozen=True, eq=False)
class Failing(ImageSet):
    """Pictures of which the last one ends the process that reads it, as no file can."""

    by_signal: bool = True

    def source(self, index: int) -> Path:
        if index == len(self) - 1 and self.by_signal:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == len(self) - 1:
            raise UserError("the cache is full")
        return super().source(index)


@pytest.fixture
def failing(source: PictureSource) -> PictureSource:
    images = source.pictures
    assert isinstance(images, ImageSet)
    deadly = Failing("pictures", images.root, images.names, images.keeps_extension)
    return PictureSource(deadly, "folder", source.location)


@pytest.mark.slow
@pytest.mark.parametrize("by_signal", [True, False])
def test_a_process_that_ends_early_is_named(
    by_signal: bool, failing: PictureSource, source: PictureSource, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    object.__setattr__(failing.pictures, "by_signal", by_signal)
    expected = (
        r"process 1 of 2 died by signal 9, perhaps .* the same command goes on"
        if by_signal
        else "^the cache is full$"
    )
    with pytest.raises(UserError, match=expected):
        describe_parts(small_spec(), failing, str(out), partition=4, processes=2)
    parts = {path.name: path.read_bytes() for path in out.glob("*.parquet")}
    assert "part-00005-of-00006.parquet" not in parts
    described = describe_parts(small_spec(), source, str(out), partition=4)
    assert described is not None
    assert described.made == 6 - len(parts)
    assert {name: (out / name).read_bytes() for name in parts} == parts
    check_same(open_parquet(out), whole(source), bits=False)


def test_impossible_numbers_of_processes(source: PictureSource, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--processes 0: give at least 1"):
        describe_parts(small_spec(), source, str(tmp_path / "out"), processes=0)
    assert not (tmp_path / "out").exists()


def test_the_vectors_are_of_unit_norm(source: PictureSource, tmp_path: Path) -> None:
    describe_parts(small_spec(), source, str(tmp_path / "out"))
    vectors = np.asarray(open_parquet(tmp_path / "out").vectors)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_parts_that_another_command_removes_are_an_error_at_once(
    source: PictureSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Output.write_part

    def removed(self: Output, number: int, **rest: Any) -> None:
        written(self, number, **rest)
        for part in (tmp_path / "out").glob("part-00000*"):
            part.unlink()

    monkeypatch.setattr(Output, "write_part", removed)
    with pytest.raises(UserError, match="lost 1 parts while they were written"):
        describe_parts(small_spec(), source, str(tmp_path / "out"), partition=11)
