"""A baseline's output: descriptors for track 2, or pairs for track 1."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.baselines.vector_system import VectorSystem
from sscd.commands.postprocess import Steps, fit, process
from sscd.commands.track2_output import write_export
from sscd.data.descriptors import Descriptors
from sscd.data.records import Pictures
from sscd.formats.run_record import ModelRecord, RunRecord
from sscd.formats.track1.csv_file import write_track1
from sscd.formats.track2.layouts import MAX_DIMENSIONS
from sscd.formats.usage import peak_cpu_bytes, peak_gpu_bytes, utc_now, versions
from sscd.search.options import Device
from sscd.search.pairs import Pairs
from sscd.search.postprocessing.chain import Side

_LINES = 65_536


def write_descriptors(
    output: Path,
    system: VectorSystem,
    sets: dict[str, Pictures],
    steps: Steps,
    *,
    device: Device,
) -> dict[str, Descriptors]:
    """Describe queries and references, and write them as a track-2 file with its record.

    Args:
        output: The HDF5 file.
        system: Whose descriptors have no projection yet.
        sets: `queries`, `references` and `training`.
        steps: What is learnt on the training pictures.
        device: Where searches run.

    Returns:
        What was written.

    Raises:
        UserError: Pictures cannot be read, there are too few, or the file cannot be written.
    """
    found = {name: system.describe(pictures) for name, pictures in sets.items()}
    own = found["training"].vectors.shape[1]
    chain, learnt = fit(steps, found["training"], own=own, limit=MAX_DIMENSIONS)
    sides: dict[str, Side] = {"queries": "query", "references": "reference"}
    done = {
        name: process(found[name], side, chain, training=learnt, device=device)
        for name, side in sides.items()
    }
    origin = found["queries"].origin
    record = RunRecord(
        seconds_a_picture=system.watch.seconds_a_picture,
        pictures=sum(len(descriptors.ids) for descriptors in done.values()),
        hardware=system.hardware,
        peak_cpu_bytes=peak_cpu_bytes(),
        peak_gpu_bytes=peak_gpu_bytes(),
        model=ModelRecord(system.name, own, origin.model),
        recipe={},
        preprocessing=origin.preprocessing,
        postprocessing=tuple(chain.steps),
        versions=versions(),
        date=utc_now(),
    )
    write_export(output, done, chain, record)
    return done


def write_pairs(
    output: Path, query_ids: Sequence[str], reference_ids: Sequence[str], pairs: Pairs
) -> int:
    """Write pairs as track-1 predictions; returns how many.

    Raises:
        UserError: The file cannot be written.
    """
    blocks = _blocks(query_ids, reference_ids, pairs)
    return write_track1(output, blocks).lines


def _blocks(
    query_ids: Sequence[str], reference_ids: Sequence[str], pairs: Pairs
) -> Iterator[tuple[list[str], list[str], NDArray[np.float32]]]:
    for start in range(0, len(pairs.scores), _LINES):
        rows = slice(start, start + _LINES)
        yield (
            [query_ids[row] for row in pairs.query[rows].tolist()],
            [reference_ids[row] for row in pairs.reference[rows].tolist()],
            pairs.scores[rows],
        )
