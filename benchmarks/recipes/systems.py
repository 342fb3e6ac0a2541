"""`systems`: GIST and perceptual hashes, judged as the rows are, for the foot of the table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.recipes.judging import figures
from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.results import (
    Outcome,
    evaluation_file,
    headline,
    is_whole,
    name_of,
    outcome_file,
    read_outcome,
    write_outcome,
)
from benchmarks.recipes.running import LAB, line_of
from benchmarks.recipes.spent import cpu_seconds
from sscd.baselines.gist.system import gist_system
from sscd.baselines.hashes import hash_system, installed_hashes
from sscd.baselines.vector_system import VectorSystem
from sscd.commands.judging import judge_descriptors
from sscd.commands.postprocess import Steps, fit, process
from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import read_ground_truth
from sscd.data.listing import scan_images
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.evaluation.edit_records import read_edits
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import Protocol
from sscd.formats.evaluation_file import write_evaluations
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.terminal import Result, remark, warn, working

# SSCD, section 5; the other one that is tried is the system's own.
_SSCD_NORM = Neighbourhood(1.0, 0, 2)
_GIST_DIMS = 256
_PROTOCOLS: tuple[Protocol, ...] = ("neighbours", "global")


def systems(lab: Path = LAB, test: bool = False, workers: int = 1) -> Result:
    """Judge GIST and every perceptual hash, without and with score normalisation.

    Of two normalisations, the system's own and SSCD's, the better one by development is shown. It
    adds a dimension, which rows have to save. What was judged before is taken from there.

    Args:
        lab: A directory that `prepare` has made.
        test: Judge on the test benchmark too.
        workers: Processes that read pictures.
    """
    place = Lab(lab.absolute())
    pictures = place.read_budget()["pictures"]["normalisation"]["count"]
    done: list[tuple[Benchmark, Outcome]] = []
    benchmarks: list[Benchmark] = ["development", "test"] if test else ["development"]
    for system, about in _systems(workers, pictures=pictures):
        chosen: Outcome | None = None
        for benchmark in benchmarks:
            chosen = _outcome(system, about, place, benchmark, chosen)
            done.append((benchmark, chosen))
    values = [{"name": one.row, "benchmark": benchmark, **one.ways} for benchmark, one in done]
    return Result({"systems": values}, [f"{name}: {line_of(one)}" for name, one in done])


def _systems(workers: int, *, pictures: int) -> Iterator[tuple[VectorSystem, str]]:
    skipped = SkipLog()
    if pictures < _GIST_DIMS:
        warn(f"GIST is left out: PCA to 256 needs as many normalisation pictures, got {pictures}")
    else:
        yield gist_system(dims=256, workers=workers, skipped=skipped), "no network; PCA to 256"
    found = installed_hashes()
    for line in found.left_out:
        warn(line)
    for one in found.hashes:
        yield hash_system(one, workers=workers, skipped=skipped), f"no network; {one.bits} bits"
    if skipped:
        raise UserError(f"{skipped.summary(file='none')}; prepare the laboratory again")


def _outcome(
    system: VectorSystem, about: str, lab: Lab, benchmark: Benchmark, chosen: Outcome | None
) -> Outcome:
    """What was judged in an earlier call, or is now."""
    file = outcome_file(lab, benchmark, name_of(system.name, None))
    if file.is_file() and is_whole(lab, benchmark, found := read_outcome(file)):
        remark(f"{system.name}: taken from {file}")
        return found
    outcome = _judge(system, about, lab, benchmark, chosen)
    write_outcome(lab, benchmark, outcome)
    return outcome


def _judge(
    system: VectorSystem, about: str, lab: Lab, benchmark: Benchmark, chosen: Outcome | None
) -> Outcome:
    before = cpu_seconds()
    with working(f"{system.name}: describing"):
        normalisation = scan_images(lab.pictures("normalisation"), name="normalisation").images
        system.learn(normalisation)
        learnt = system.describe(normalisation)
        sides = {
            "query": system.describe(scan_images(lab.queries(benchmark), name="queries").images),
            "reference": system.describe(
                scan_images(lab.references(benchmark), name="references").images
            ),
        }
    pictures = len(learnt.ids) + sum(len(side.ids) for side in sides.values())
    # The normalisation pictures are described twice, to learn and to be learnt on.
    milliseconds = 1000 * (cpu_seconds() - before) / (pictures + len(learnt.ids))
    ways: dict[str, dict[str, Any]] = {}
    norms = {"raw": None, "raw-normalised": system.norm, "raw-normalised-as-sscd": _SSCD_NORM}
    for way, norm in norms.items():
        with working(f"{system.name}: judging, {way}"):
            ways[way] = _judge_way(system.name, way, norm, learnt, sides, lab, benchmark)
    return Outcome(
        row=system.name,
        about=about,
        seed=None,
        ways=ways,
        headline=chosen.headline if chosen else headline([ways]),
        cost=None,
        facts={"dims": system.dims, "milliseconds_a_picture": milliseconds},
        asked={},
    )


def _judge_way(
    system: str,
    way: str,
    norm: Neighbourhood | None,
    learnt: Descriptors,
    sides: dict[str, Descriptors],
    lab: Lab,
    benchmark: Benchmark,
) -> dict[str, Any]:
    own = learnt.vectors.shape[1]
    chain, training = fit(Steps(None, None, None, norm), learnt, own=own)
    queries = process(sides["query"], "query", chain, training=training, device="cpu")
    references = process(sides["reference"], "reference", chain, training=training, device="cpu")
    truth = read_ground_truth(lab.truth(benchmark))
    judged = [
        Judged(
            system=system,
            data=benchmark,
            evaluation=judge_descriptors(
                (queries, references), truth, protocol=protocol, device="cpu", engine="auto"
            ),
            truth=truth,
            edits=read_edits(lab.edits(benchmark)),
            query_pictures=str(lab.queries(benchmark)),
            reference_pictures=str(lab.references(benchmark)),
        )
        for protocol in _PROTOCOLS
    ]
    write_evaluations(evaluation_file(lab, benchmark, name_of(system, None), way), judged)
    both: dict[str, Any] = {
        one.evaluation.kind: figures(one.evaluation.figures.as_json()) for one in judged
    }
    norm_text = "" if norm is None else str(norm)
    return {"projection": "none", "dims": own + (norm is not None), "norm": norm_text, **both}
