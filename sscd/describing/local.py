"""The engine `local`: this machine's devices, or the processes that torchrun or SLURM started."""

import os
from collections import deque

import torch

from sscd.data.pictures.sources import PictureSource
from sscd.data.records import Pictures
from sscd.describing.output import Described, Output
from sscd.describing.partitions import PartitionDescriber
from sscd.describing.processes import describe_in_processes
from sscd.describing.ranks import Rank, current_rank
from sscd.describing.request import PARTITION, DescribeRequest
from sscd.describing.waiting import STALL_S, wait_for_parts
from sscd.errors import UserError
from sscd.models.describer import DescriberSpec
from sscd.terminal import working


def describe_parts(
    spec: DescriberSpec,
    source: PictureSource,
    out: str,
    *,
    partition: int = PARTITION,
    processes: int | None = None,
    stall_s: float = STALL_S,
) -> Described | None:
    """Describe pictures to Parquet parts in a directory, going on where an earlier call stopped.

    Under torchrun or srun each rank describes every W-th partition on the GPU of its local rank,
    and rank 0 waits for the others. Elsewhere the missing partitions are shared by `processes`.
    `sscd.formats.parquet_files.open_parquet` opens the result.

    Args:
        spec: What describes.
        source: The pictures.
        out: Path or URL of the directory.
        partition: Pictures of a partition.
        processes: How many on this machine, whatever launched this one; by default one for each
            GPU in sight, or one.
        stall_s: Seconds without a new part after which rank 0 gives up on the others.

    Returns:
        What was described; None for ranks other than 0, whose own parts are finished.

    Raises:
        UserError: The directory holds something else, a part cannot be written, no picture can be
            read, or another process died or stalled.
    """
    if processes is not None and processes < 1:
        raise UserError(f"--processes {processes}: give at least 1")
    output = Output(out, DescribeRequest.of(source, spec, partition=partition))
    output.claim()
    rank = current_rank(os.environ) if processes is None else Rank()
    missing = output.missing()
    own = [number for number in missing if number in rank.share(output.request.partitions)]
    count = min(len(own), processes or (_devices(spec) if rank.world == 1 else 1))
    if count > 1:
        describe_in_processes(spec, source.pictures, output, own, count=count)
    elif own:
        _describe_here(spec, source.pictures, output, own, rank)
    if rank.number:
        return None
    if rank.world == 1 and (lost := output.missing()):
        raise UserError(
            f"{output.place.location} lost {len(lost):,} parts while they were written; if another "
            "command works there, wait for it, then run this one again"
        )
    wait_for_parts(output, world=rank.world, stall_s=stall_s)
    return output.finish(made=len(missing))


def _devices(spec: DescriberSpec) -> int:
    return 1 if spec.device == "cpu" else max(1, torch.cuda.device_count())


def _describe_here(
    spec: DescriberSpec, pictures: Pictures, output: Output, numbers: list[int], rank: Rank
) -> None:
    counts = PartitionDescriber(spec.build(index=rank.local), pictures, output)(numbers)
    if rank.number:  # the bars of several ranks would overwrite one another
        deque(counts, maxlen=0)
        return
    total = sum(len(output.request.span(number)) for number in numbers)
    with working(f"describing {pictures.name}", total=total) as work:
        for done in counts:
            work.advance(done)
