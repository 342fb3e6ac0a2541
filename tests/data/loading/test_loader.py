"""Loaders whose errors are for people to read."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sscd.data.loading import loader as module
from sscd.data.loading.loader import make_loader, shared_memory_warning
from sscd.errors import UserError

REFUSED, BROKEN, KILLED = 5, 6, 7


class Batch(NamedTuple):
    numbers: Tensor
    threads: Tensor
    nested: tuple[Tensor, ...]


class Numbers(Dataset[int]):
    def __init__(self, worst: int = 100, *, killed_by: signal.Signals = signal.SIGKILL) -> None:
        self.worst = worst
        self.killed_by = killed_by

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> int:
        if index == self.worst == REFUSED:
            raise UserError("picture 5: not there\n(second line)")
        if index == self.worst == BROKEN:
            raise ValueError("a bug")
        if index == self.worst == KILLED:
            time.sleep(1.0)  # until whoever reads waits for it
            os.kill(os.getpid(), self.killed_by)
        return index


def collate(numbers: Sequence[int]) -> Batch:
    one = torch.tensor(numbers)
    return Batch(one, torch.tensor([torch.get_num_threads()]), (one + 1, one + 2))


@pytest.mark.parametrize(("workers", "start"), [(0, None), (2, "fork"), (1, "spawn")])
def test_batches_come_whole_and_in_order(workers: int, start: str | None) -> None:
    loader = make_loader(
        Numbers(), collate, workers=workers, batch_size=3, multiprocessing_context=start
    )
    for _ in range(2):
        batches = list(loader)
        assert [batch.numbers.tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5], [6, 7]]
        assert all(torch.equal(b.nested[1], b.numbers + 2) for b in batches)
    if workers:
        assert {int(batch.threads) for batch in batches} == {1}


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_for_the_user_arrives_as_it_was_raised(workers: int) -> None:
    with pytest.raises(UserError) as raised:
        list(make_loader(Numbers(REFUSED), collate, workers=workers, batch_size=3))
    assert str(raised.value) == "picture 5: not there\n(second line)"
    del raised
    gc.collect()  # the loader with its workers, before another's are forked


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="Original Traceback") as raised:
        list(make_loader(Numbers(BROKEN), collate, workers=1, batch_size=3))
    assert "a bug" in str(raised.value)
    del raised
    gc.collect()


@pytest.mark.parametrize(
    ("by", "line"),
    [
        (signal.SIGKILL, "a worker of the loader died, as processes do"),
        (signal.SIGTERM, "a worker of the loader was told to end; send SIGTERM to the training's"),
    ],
)
def test_a_killed_worker_is_explained(by: signal.Signals, line: str) -> None:
    with pytest.raises(UserError, match=line):
        list(make_loader(Numbers(KILLED, killed_by=by), collate, workers=1, batch_size=3))
    gc.collect()


def test_too_little_shared_memory_is_said_beforehand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert shared_memory_warning(1 << 62).startswith("/dev/shm has ")
    assert "docker run --shm-size" in shared_memory_warning(1 << 62)
    assert shared_memory_warning(0) == ""
    monkeypatch.setattr(module, "SHARED_MEMORY", tmp_path / "none")
    assert shared_memory_warning(1 << 62) == ""


FULL = """
import torch
from torch.utils.data import Dataset
from sscd.data.loading.loader import make_loader
from sscd.errors import UserError

class Large(Dataset):
    def __len__(self): return 16
    def __getitem__(self, index): return torch.zeros(1_000_000, dtype=torch.uint8)

def first(items): return (items[0],)

try:
    held = list(make_loader(Large(), first, workers=1, batch_size=1))
except UserError as error:
    print(error)
"""


def test_full_shared_memory_is_an_error_and_no_standstill() -> None:
    small = "mount -t tmpfs -o size=4m tmpfs /dev/shm"
    if subprocess.run(
        ["unshare", "-m", "sh", "-c", small], check=False, capture_output=True
    ).returncode:
        pytest.skip("a small /dev/shm needs root, and Linux")
    told = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{small} && exec "$0" -c "$1"', sys.executable, FULL],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    assert told.startswith("/dev/shm is full: workers hand over pictures in it; give the container")
