"""A track-2 file with its record and post-processing: written, and its result."""

from pathlib import Path

from sscd.commands.describing import say_skipped
from sscd.data.descriptors import Descriptors
from sscd.data.skipped import SkipLog
from sscd.data.stopwatch import Stopwatch
from sscd.formats.origins import origin_attributes
from sscd.formats.postprocessing_file import postprocessing_path, write_postprocessing
from sscd.formats.run_record import ModelRecord, RunRecord, record_attributes, write_record
from sscd.formats.track2.hdf5_file import Track2, open_track2, write_track2
from sscd.formats.usage import peak_cpu_bytes, peak_gpu_bytes, utc_now, versions
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.describer import Describer
from sscd.search.postprocessing.chain import PostProcessing
from sscd.terminal import Result
from sscd.vectors import Vectors


def make_record(
    describer: Describer,
    trained: TrainedNetwork,
    chain: PostProcessing,
    described: dict[str, Descriptors],
    *,
    watch: Stopwatch,
) -> RunRecord:
    """What the challenge asks of a run.

    Args:
        describer: What described.
        trained: The network, with the recipe of its training.
        chain: What was applied to descriptors.
        described: The sets that are written.
        watch: What describing took.
    """
    config = trained.network.config
    return RunRecord(
        seconds_a_picture=watch.seconds_a_picture,
        pictures=sum(len(descriptors.ids) for descriptors in described.values()),
        hardware=describer.hardware,
        peak_cpu_bytes=peak_cpu_bytes(),
        peak_gpu_bytes=peak_gpu_bytes(),
        model=ModelRecord(config.backbone, trained.network.dims, describer.origin.model),
        recipe=trained.recipe,
        preprocessing=describer.origin.preprocessing,
        postprocessing=tuple(chain.steps),
        versions=versions(),
        date=utc_now(),
    )


def write_export(
    output: Path, described: dict[str, Descriptors], chain: PostProcessing, record: RunRecord
) -> None:
    """Write a track-2 file, its post-processing and its record.

    Args:
        output: The HDF5 file.
        described: `queries` and `references`, finished.
        chain: What was applied to them.
        record: How they were made.

    Raises:
        UserError: Over 256 dimensions, or the output cannot be written.
    """
    queries, references = described["queries"], described["references"]
    track2: Track2[Vectors] = Track2(
        query_ids=queries.ids,
        queries=queries.vectors,
        reference_ids=references.ids,
        references=references.vectors,
        attributes={**record_attributes(record), **origin_attributes(queries.origin)},
    )
    if chain.steps:
        write_postprocessing(output, chain.settings(), chain.arrays())
    else:
        postprocessing_path(output).unlink(missing_ok=True)  # of an earlier output of that name
    write_track2(output, track2)
    write_record(output, record)


def export_result(output: Path, skipped: SkipLog) -> Result:
    """What was written and left out, as read back from the file."""
    track2 = open_track2(output)
    say_skipped(skipped, output)
    queries, references = len(track2.query_ids), len(track2.reference_ids)
    dims = track2.queries.shape[1]
    return Result(
        {
            "output": str(output),
            "queries": queries,
            "references": references,
            "dims": dims,
            "unreadable": len(skipped),
            "attributes": dict(track2.attributes),
        },
        [f"{output}: {queries:,} queries and {references:,} references, {dims} dimensions"],
    )
