"""Rows of real gloo processes on the first of them, against one concatenation."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

from sscd.errors import UserError
from sscd.training.ranks.gather_to_first import answer_of_first, gather_to_first

DIMS = 5
COUNT = 37
CPU = torch.device("cpu")


def row(position: int) -> Tensor:
    return torch.arange(DIMS, dtype=torch.float32) + 100 * position


def share(rank: int, ranks: int) -> list[tuple[Tensor, Tensor]]:
    """Uneven shares in batches of two: the last rank has none, rank 0 also what rank 1 has."""
    if rank == ranks - 1:
        return []
    positions = list(range(rank, COUNT - 2, ranks))
    if rank == 0:
        positions += [1, 5]
    batches = [positions[start : start + 2] for start in range(0, len(positions), 2)]
    return [(torch.tensor(b), torch.stack([row(p) for p in b])) for b in batches]


def _gather(rank: int, ranks: int, store: str, out: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=ranks
    )
    parts = share(rank, ranks)
    told = [
        gather_to_first(parts, count=COUNT, dims=DIMS, device=CPU, piece=piece)
        for piece in (1, 3 * ranks * DIMS * 4, 10**6)  # a row, three rows, all at once
    ]
    none = gather_to_first([], count=COUNT, dims=DIMS, device=CPU)
    if rank == 0:
        pairs = [(placed.positions, placed.rows) for placed in (*told, none) if placed]
        torch.save(pairs, out)
    else:
        assert told == [None] * 3
        assert none is None
    distributed.destroy_process_group()


@pytest.mark.parametrize("ranks", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_uneven_shares_come_in_order_and_once(ranks: int, tmp_path: Path) -> None:
    out = tmp_path / "out.pt"
    spawn(_gather, args=(ranks, str(tmp_path / "store"), str(out)), nprocs=ranks)  # type: ignore[no-untyped-call]
    *told, none = torch.load(out)
    owned = {p for r in range(ranks) for batch, _ in share(r, ranks) for p in batch.tolist()}
    assert len(owned) < COUNT
    for positions, rows in told:
        assert positions.tolist() == sorted(owned)
        torch.testing.assert_close(rows, torch.stack([row(p) for p in sorted(owned)]))
    assert none[0].shape == (0,)
    assert none[1].shape == (0, DIMS)


def test_one_process_puts_its_batches_in_order() -> None:
    batches = [torch.tensor([3, 1]), torch.tensor([0, 2]), torch.tensor([1])]
    parts = [(places, torch.stack([row(int(p)) for p in places])) for places in batches]
    placed = gather_to_first(parts, count=4, dims=DIMS, device=CPU)
    assert placed is not None
    assert placed.positions.tolist() == [0, 1, 2, 3]
    torch.testing.assert_close(placed.rows, torch.stack([row(p) for p in range(4)]))


def test_the_first_of_two_rows_for_a_position_stays() -> None:
    parts = [
        (torch.tensor([1]), torch.full((1, 2), 1.0)),
        (torch.tensor([1]), torch.full((1, 2), 2.0)),
    ]
    placed = gather_to_first(parts, count=3, dims=2, device=CPU)
    assert placed is not None
    assert placed.positions.tolist() == [1]
    assert placed.rows.tolist() == [[1.0, 1.0]]


def _refuse() -> Any:
    raise UserError("the truth names no copy")


def _fail() -> Any:
    raise ValueError("shapes do not fit")


def _ask(rank: int, store: str, out: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    told = [str(answer_of_first(lambda: {"asked": rank}))]
    for answer in (_refuse, _fail):
        try:
            answer_of_first(answer)
        except Exception as error:
            told.append(f"{type(error).__name__}: {error}")
    torch.save(told, f"{out}-{rank}")
    distributed.destroy_process_group()


def test_all_ranks_have_the_answer_or_the_failure_of_the_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    spawn(_ask, args=(str(tmp_path / "store"), str(out)), nprocs=2)  # type: ignore[no-untyped-call]
    first, second = (torch.load(f"{out}-{rank}") for rank in range(2))
    assert first[:2] == second[:2] == ["{'asked': 0}", "UserError: the truth names no copy"]
    assert first[2] == "ValueError: shapes do not fit"
    assert second[2] == "UserError: rank 0 failed: ValueError: shapes do not fit"


def test_a_process_alone_answers_itself() -> None:
    assert answer_of_first(lambda: 3) == 3
    with pytest.raises(ValueError, match="shapes do not fit"):
        answer_of_first(_fail)


def _gather_on_gpus(rank: int, store: str, out: str) -> None:
    torch.cuda.set_device(rank)
    distributed.init_process_group("nccl", init_method=f"file://{store}", rank=rank, world_size=2)
    device = torch.device("cuda", rank)
    placed = gather_to_first(share(rank, 2), count=COUNT, dims=DIMS, device=device, piece=200)
    if placed is not None:
        torch.save((placed.positions, placed.rows), out)
    distributed.destroy_process_group()


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_rows_travel_over_gpus_and_end_on_the_cpu(tmp_path: Path) -> None:
    out = tmp_path / "out.pt"
    spawn(_gather_on_gpus, args=(str(tmp_path / "store"), str(out)), nprocs=2)  # type: ignore[no-untyped-call]
    positions, rows = torch.load(out)
    owned = sorted({p for batch, _ in share(0, 2) for p in batch.tolist()})
    assert positions.tolist() == owned
    assert rows.device.type == "cpu"
    torch.testing.assert_close(rows, torch.stack([row(p) for p in owned]))
