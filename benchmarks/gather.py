"""Descriptors of a validation from all ranks to the first: `python -m benchmarks.gather`.

Real gloo processes on this machine, so the way is its memory; over a network add the bytes divided
by its speed.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from sscd.training.ranks.gather_to_first import gather_to_first

DIMS = 256


def _gather(rank: int, ranks: int, rows: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=ranks
    )
    positions = torch.arange(rank, rows, ranks)
    parts = [(p, torch.ones(len(p), DIMS)) for p in torch.split(positions, 1024)]
    before = _peak_mib()
    distributed.barrier()
    start = time.perf_counter()
    gather_to_first(parts, count=rows, dims=DIMS, device=torch.device("cpu"))
    seconds = time.perf_counter() - start
    measured: list[tuple[float, float]] = [(0.0, 0.0)] * ranks
    distributed.all_gather_object(measured, (seconds, _peak_mib() - before))
    if rank == 0:
        line = (
            f"{ranks} ranks, {rows:,} × {DIMS}: {seconds:.2f} s; rank 0 took {measured[0][1]:,.0f} "
            f"MiB more, another at most {max(mib for _, mib in measured[1:]):,.0f} MiB"
        )
        Path(folder, "line").write_text(line)
    distributed.destroy_process_group()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(*, ranks: int, rows: int) -> str:
    """One line for one number of ranks."""
    with tempfile.TemporaryDirectory() as folder:
        spawn(_gather, args=(ranks, rows, folder), nprocs=ranks)  # type: ignore[no-untyped-call]
        return Path(folder, "line").read_text()


def main() -> None:
    """Print a line for two ranks and one for four."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    for ranks in (2, 4):
        print(run(ranks=ranks, rows=rows))  # noqa: T201


if __name__ == "__main__":
    main()
