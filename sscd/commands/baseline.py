"""`sscd baseline`: GIST, Multigrain, or HOW with ASMK, as files for the challenge."""

import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from sscd.augment.tensors import ResizeMode
from sscd.baselines.gist.system import GIST_NORM
from sscd.baselines.multigrain import NORM
from sscd.baselines.system import System
from sscd.commands.describing import repeatable, say_skipped
from sscd.commands.postprocess import Steps
from sscd.commands.systems.baseline_options import BaselineName, BaselineOptions
from sscd.commands.systems.baseline_output import write_descriptors, write_pairs
from sscd.commands.systems.baseline_systems import BaselineSystems, check_enough
from sscd.commands.systems.data import FEWEST_TRAINING
from sscd.commands.systems.stored_descriptors import check_one_process
from sscd.data.pictures.sources import open_pictures
from sscd.data.records import Pictures
from sscd.errors import UserError
from sscd.files import check_not_input, check_output_place
from sscd.formats.track2.layouts import MAX_DIMENSIONS
from sscd.models.describer import DeviceName
from sscd.search.pairs import CHALLENGE_LIMIT, best_pairs
from sscd.terminal import Result, warn
from sscd.vectors import in_memory


def baseline(
    name: BaselineName,
    queries: str,
    output: Path,
    references: str | None = None,
    training: str | None = None,
    normalise: bool = False,
    checkpoint: Path | None = None,
    dims: int | None = None,
    words: int | None = None,
    features: int | None = None,
    index: Path | None = None,
    size: int | None = None,
    resize: ResizeMode | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    device: DeviceName = "auto",
) -> Result:
    """Find copies by a system that the DISC21 paper measures: GIST, Multigrain, or HOW with ASMK.

    Args:
        name: gist, multigrain or how.
        queries: The query pictures: a folder, a list, shards or Parquet.
        output: What is written: NAME.h5 for descriptors, as track 2 takes them (not of how), or
            NAME.csv for the best 500,000 pairs, as track 1 does.
        references: The reference pictures, likewise.
        training: Training pictures, for PCA, whitening, visual words and --normalise.
        normalise: Subtract from scores the similarity to training pictures, as the paper does.
        checkpoint: Of multigrain and how: the network, trained here or as published.
        dims: Of gist: 256 by PCA, or 960 as they are; of multigrain: by default 1,500 for pairs
            and 256 for descriptors, or as many as there are.
        words: Of how: visual words; by default 65,536.
        features: Of how: local descriptors of a picture, at most; by default 2,000.
        index: Of how: a file for the references' index; one that is there is searched, and brings
            the references and all that was learnt.
        size: Pixels that pictures are resized to; by default as the network's own.
        resize: Which side `size` is of; by default as the network's own.
        batch_size: Pictures at once; by default 64, of how 4.
        workers: Processes that decode pictures; by default 4, or one for each processor.
        device: Where network and search run.
    """
    options = BaselineOptions(
        name,
        queries,
        output,
        references,
        training,
        normalise,
        checkpoint,
        dims,
        words,
        features,
        index,
        size,
        resize,
        batch_size,
        workers,
        device,
    )
    options.check()
    check_one_process("baseline")
    _check_output(options)
    sets = _open(options)
    systems = BaselineSystems(options, output.with_name(f"{output.name}.parts"))
    with repeatable() if name == "multigrain" else nullcontext():
        if options.kind == "descriptors":
            result = _descriptors(options, systems, sets)
        else:
            result = _pairs(options, systems, sets)
    if name == "multigrain":
        shutil.rmtree(systems.parts, ignore_errors=True)
    say_skipped(systems.skipped, output)
    return result


def _open(options: BaselineOptions) -> dict[str, Pictures]:
    sources = {
        "queries": options.queries,
        "references": options.references,
        "training": options.training,
    }
    sets: dict[str, Pictures] = {}
    for name, source in sources.items():
        if source is not None:
            opened = open_pictures(source, name=name)
            for line in opened.left_out:
                warn(line)
            sets[name] = opened.pictures
    if "training" in sets and options.normalise and len(sets["training"]) < FEWEST_TRAINING:
        raise UserError(
            f"--training {options.training} has {len(sets['training'])} pictures; score "
            f"normalisation needs {FEWEST_TRAINING} at least"
        )
    return sets


def _descriptors(
    options: BaselineOptions, systems: BaselineSystems, sets: dict[str, Pictures]
) -> Result:
    """Describe, project, and write for track 2."""
    system = systems.raw()
    norm = (GIST_NORM if options.name == "gist" else NORM) if options.normalise else None
    steps = Steps("pca" if options.name == "gist" else "whiten", options.dims, None, norm)
    wanted = steps.projected_dims(system.dims or 0, limit=MAX_DIMENSIONS)
    check_enough(wanted, training=len(sets["training"]), name=options.name)
    written = write_descriptors(options.output, system, sets, steps, device=options.device)
    asked, searched = written["queries"], written["references"]
    width = asked.vectors.shape[1]
    line = (
        f"{options.output}: {len(asked.ids):,} queries and {len(searched.ids):,} references, "
        f"{width} dimensions"
    )
    values = {"queries": len(asked.ids), "references": len(searched.ids), "dims": width}
    return _result(options, system, systems, values, line)


def _pairs(options: BaselineOptions, systems: BaselineSystems, sets: dict[str, Pictures]) -> Result:
    """Search, and write for track 1."""
    if options.name != "how" and not options.normalise:
        return _plain_pairs(options, systems, sets)
    system: System
    if options.name == "how":
        system = how = systems.how()
        if not options.opens_index:
            how.learn(sets["training"])
            how.index(sets["references"])
            if options.index is not None:
                how.save(options.index)
    else:
        system = systems.compared(training=len(sets["training"]))
        system.learn(sets["training"])
        system.index(sets["references"])
    found = system.search(sets["queries"], limit=CHALLENGE_LIMIT)
    pairs = found.normalised if options.normalise else found.plain
    lines = write_pairs(options.output, found.query_ids, system.reference_ids, pairs)
    counts = {"queries": len(found.query_ids), "references": len(system.reference_ids)}
    return _result_of_pairs(options, system, systems, counts, lines)


def _plain_pairs(
    options: BaselineOptions, systems: BaselineSystems, sets: dict[str, Pictures]
) -> Result:
    """Without normalisation: a third of the searches, and few training pictures or none will do."""
    training = sets.get("training")
    system = systems.compared(training=0 if training is None else len(training))
    if training is not None:
        system.learn(training)
    asked, searched = system.describe(sets["queries"]), system.describe(sets["references"])
    pairs = best_pairs(in_memory(asked.vectors), searched.vectors, device=options.device)
    lines = write_pairs(options.output, asked.ids, searched.ids, pairs)
    counts = {"queries": len(asked.ids), "references": len(searched.ids)}
    return _result_of_pairs(options, system, systems, counts, lines)


def _result_of_pairs(
    options: BaselineOptions,
    system: System,
    systems: BaselineSystems,
    counts: dict[str, int],
    lines: int,
) -> Result:
    line = (
        f"{options.output}: the best {lines:,} pairs of {counts['queries']:,} queries and "
        f"{counts['references']:,} references"
    )
    values = {**counts, "dims": system.dims, "pairs": lines}
    return _result(options, system, systems, values, line)


def _result(
    options: BaselineOptions,
    system: System,
    systems: BaselineSystems,
    values: dict[str, Any],
    line: str,
) -> Result:
    each = system.watch.seconds_a_picture
    milliseconds = None if each is None else 1000 * each
    shown = [line]
    if milliseconds is not None:
        shown.append(
            f"{system.watch.pictures:,} pictures, {milliseconds:.3g} ms a picture on "
            f"{system.hardware}"
        )
    output = shlex.quote(str(options.output))
    remarks = [f"next: sscd evaluate {output} --ground_truth TRUTH.csv"]
    if options.index is not None and not options.opens_index:
        remarks.append(f"{options.index} is searched by the same command without --references")
    return Result(
        {
            "output": str(options.output),
            "baseline": options.name,
            "pairs": None,
            **values,
            "normalised": options.normalise,
            "milliseconds": milliseconds,
            "pictures": system.watch.pictures,
            "hardware": system.hardware,
            "unreadable": len(systems.skipped),
        },
        shown,
        remarks,
    )


def _check_output(options: BaselineOptions) -> None:
    if options.output.is_dir():
        raise UserError(f"--output {options.output} is a directory; give the name of a file in it")
    check_output_place(options.output)
    inputs = [path for path in (options.checkpoint, options.index) if path is not None]
    check_not_input(options.output, inputs)
    if options.index is not None and not options.opens_index:
        if options.index.exists():
            raise UserError(f"--index {options.index} is no file; give the name of one")
        check_output_place(options.index)
