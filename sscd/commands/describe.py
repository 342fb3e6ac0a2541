"""`sscd describe`: descriptors of any number of pictures, as Parquet in parts."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

from sscd.augment.tensors import ResizeMode
from sscd.commands.describing import DescribeOptions, repeatable
from sscd.data.pictures.sources import PictureSource, open_pictures
from sscd.describing.local import describe_parts
from sscd.describing.output import Described
from sscd.describing.ray_cluster import Pool
from sscd.describing.ray_engine import describe_on_ray
from sscd.describing.request import PARTITION
from sscd.errors import UserError
from sscd.models.describer import DeviceName
from sscd.models.seeing import Seeing
from sscd.terminal import Result, warn

Engine = Literal["local", "ray"]


def describe(
    source: str,
    output: str,
    checkpoint: Path | None = None,
    engine: Engine = "local",
    size: int | None = None,
    resize: ResizeMode | None = None,
    scales: list[float] | None = None,
    mirror: bool | None = None,
    gem_p: float | None = None,
    batch_size: int = 64,
    workers: int | None = None,
    device: DeviceName = "auto",
    partition: int = PARTITION,
    processes: int | None = None,
    ray_address: str | None = None,
    actors: int | None = None,
    cpus_per_actor: int | None = None,
    gpus_per_actor: float | None = None,
    cache: Path | None = None,
    cache_gb: float | None = None,
) -> Result | None:
    """Describe a folder, a list, shards or Parquet of pictures, as Parquet in parts.

    Interrupted, the same command goes on.

    Args:
        source: A folder of pictures, a text file with a path or URL on each line, what `sscd shard`
            wrote, or Parquet with a column `image` or `path`; path or URL.
        output: The directory to write; path or URL.
        checkpoint: A network: a checkpoint of `sscd train`, what `sscd export --model-only` wrote,
            or published SSCD weights; by default the model that comes with sscd.
        engine: `local` for this machine, or the processes of torchrun or SLURM; `ray` for a Ray
            cluster.
        size: Pixels that pictures are resized to; by default as in the training's validation.
        resize: Which side `size` is of; by default as in the training's validation.
        scales: Sizes at which pictures are seen, times their sides, as in `1 1.4`; descriptors are
            the normalised mean, and each costs a pass; by default as the network says.
        mirror: Take the mean with mirror images, at twice the cost; by default as the network says.
        gem_p: Exponent of the pooling in the place of the network's own.
        batch_size: Pictures described at once.
        workers: Processes that decode pictures, for each process or actor that describes; by
            default 4, or as many as there are processors.
        device: Where the network runs.
        partition: Pictures of a part.
        processes: With the engine `local`, how many describe on this machine; by default one for
            each GPU, or what torchrun or SLURM started.
        ray_address: With the engine `ray`, the cluster; by default RAY_ADDRESS, or this machine.
        actors: With the engine `ray`, how many describe; by default as many as there is room for.
        cpus_per_actor: With the engine `ray`, processors of each.
        gpus_per_actor: With the engine `ray`, GPUs of each.
        cache: Where shards behind a URL are kept; by default `sscd` in `~/.cache`.
        cache_gb: How many gigabytes of them may be kept; by default all.
    """
    seeing = Seeing(scales, mirror, gem_p)
    options = DescribeOptions(checkpoint, size, resize, batch_size, workers, device, seeing)
    options.check()
    if cache_gb is not None and not 0 < cache_gb < float("inf"):
        raise UserError(f"--cache_gb {cache_gb}: give a size above 0, or leave it out")
    pool = Pool(actors, cpus_per_actor, gpus_per_actor)
    _check_engine(engine, processes=processes, ray_address=ray_address, pool=pool)
    spec, _ = options.load()
    opened = _open(source, cache, cache_gb)
    run: Callable[..., Described | None] = (
        partial(describe_on_ray, address=ray_address, pool=pool)
        if engine == "ray"
        else partial(describe_parts, processes=processes)
    )
    with repeatable():
        described = run(spec, opened, output, partition=partition)
    return None if described is None else _result(described, opened)


def _open(source: str, cache: Path | None, cache_gb: float | None) -> PictureSource:
    limit = None if cache_gb is None else int(cache_gb * 1e9)
    opened = open_pictures(source, name="pictures", cache=cache, limit=limit)
    for line in opened.left_out:
        warn(line)
    return opened


def _check_engine(
    engine: Engine, *, processes: int | None, ray_address: str | None, pool: Pool
) -> None:
    if engine == "ray" and processes is not None:
        raise UserError("--processes is of --engine local; with --engine ray give --actors")
    if engine == "local" and (ray_address is not None or pool != Pool()):
        raise UserError(
            "--ray_address, --actors, --cpus_per_actor and --gpus_per_actor are of --engine ray; "
            "add it, or leave them out"
        )
    below = (pool.actors is not None and pool.actors < 1) or (pool.gpus or 0) < 0
    if below or (pool.cpus is not None and pool.cpus < 1):
        raise UserError("--actors and --cpus_per_actor begin at 1, --gpus_per_actor at 0")


def _result(described: Described, opened: PictureSource) -> Result:
    if described.failures:
        warn(described.summary)
    request = described.request
    values = {
        "output": described.location,
        **asdict(request),
        "kind": opened.kind,
        "partitions": request.partitions,
        "described": described.described,
        "unreadable": len(described.failures),
        "partitions_made": described.made,
    }
    noun = "part" if request.partitions == 1 else "parts"
    lines = [
        f"{described.location}: {described.described:,} descriptors of {request.dims} dimensions "
        f"in {request.partitions:,} {noun}, model {request.model}"
    ]
    if not described.made:
        lines.insert(0, f"{described.location} is complete already; nothing was done")
    return Result(values, lines)
