"""The engine `ray`: partitions as rows of a Ray Data pipeline, described by a pool of actors."""

import logging
from dataclasses import replace
from typing import Any

from sscd.data.pictures.sources import PictureSource
from sscd.describing.output import Described, Output
from sscd.describing.ray_actor import (
    ERROR_COLUMN,
    PARTITION_COLUMN,
    PICTURES_COLUMN,
    Attempts,
    PartitionActor,
)
from sscd.describing.ray_cluster import Pool, connected, settle
from sscd.describing.request import PARTITION, DescribeRequest
from sscd.errors import UserError
from sscd.models.describer import DescriberSpec
from sscd.terminal import working


def describe_on_ray(
    spec: DescriberSpec,
    source: PictureSource,
    out: str,
    *,
    partition: int = PARTITION,
    address: str | None = None,
    pool: Pool | None = None,
) -> Described:
    """Describe pictures to Parquet parts on a Ray cluster; the parts are those of `describe_parts`.

    An actor that dies is started again, and its partition described again; what others finished
    stays. The network and the pictures' names travel through Ray's object store, pictures and parts
    do not: the machines must reach the source and `out`, on shared storage or behind a URL.

    Args:
        spec: What describes.
        source: The pictures.
        out: Path or URL of the directory.
        partition: Pictures of a partition.
        address: Of the cluster; by default what Ray finds in `RAY_ADDRESS`, or this machine.
        pool: The actors; by default as many as there is room for.

    Raises:
        UserError: Ray is not installed or not to be reached, the cluster has no room, the directory
            holds something else, a part cannot be written, no picture can be read, or a partition
            lost its actor too often.
    """
    output = Output(out, DescribeRequest.of(source, spec, partition=partition))
    output.claim()
    missing = output.missing()
    if missing:
        with connected(address) as ray:
            settled = settle(pool or Pool(), ray, spec)
            _run(ray, spec, source, output, missing, settled)
    if left := output.missing():
        raise UserError(
            f"{output.place.location}: {len(left):,} partitions were described and are not there; "
            "give a directory that all machines of the cluster share, or a URL"
        )
    return output.finish(made=len(missing))


def _run(
    ray: Any,
    spec: DescriberSpec,
    source: PictureSource,
    output: Output,
    missing: list[int],
    pool: Pool,
) -> None:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    actors, cpus = min(pool.actors or 1, len(missing)), int(pool.cpus or 1)
    workers = min(spec.workers, cpus if pool.gpus else cpus - 1)
    device = spec.device if pool.gpus else "cpu"
    work = ray.put((replace(spec, workers=workers, device=device), source.pictures, output))
    attempts = _counter(ray)
    rows = [{PARTITION_COLUMN: number} for number in missing]
    results = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        PartitionActor,
        fn_constructor_kwargs={"work": [work], "attempts": attempts, "threads": cpus},
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=1),
        num_cpus=cpus,
        num_gpus=pool.gpus or 0,
    )
    total = sum(len(output.request.span(number)) for number in missing)
    with working(f"describing {source.pictures.name} on {actors} actors", total=total) as work:
        try:
            for row in results.iter_rows():
                if row[ERROR_COLUMN]:
                    raise UserError(row[ERROR_COLUMN])
                work.advance(int(row[PICTURES_COLUMN]))
        except ray.exceptions.RayError as error:
            reason = " ".join(str(error).split())[:300]
            raise UserError(
                f"{output.place.location}: an actor failed ({reason}); the parts that are "
                "finished stay, and the same command goes on"
            ) from error


def _counter(ray: Any) -> Any:
    """The actor that counts attempts, on this machine: one that is lost must not take it along."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return (
        ray.remote(Attempts)
        .options(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)
        .remote()
    )
