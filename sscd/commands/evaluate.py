"""`sscd evaluate`: descriptors or predictions to figures, by both published protocols."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from sscd.commands.postprocess import ProjectionChoice, Steps, check_origins, fit, process
from sscd.data.descriptors import Descriptors, Origin
from sscd.data.ground_truth import GroundTruth, read_ground_truth
from sscd.errors import UserError
from sscd.evaluation.bootstrap import Interval, micro_ap_interval
from sscd.evaluation.by_edit import EditBreakdown, figures_by_edit
from sscd.evaluation.calibration import Calibration, calibrate, write_calibration
from sscd.evaluation.edit_records import read_edits
from sscd.evaluation.protocol import Evaluation, Protocol, evaluate_descriptors, evaluate_pairs
from sscd.files import check_writable_directory
from sscd.formats.descriptor_files import open_descriptors
from sscd.formats.extensions import match_ids
from sscd.formats.kinds import kind_of
from sscd.formats.track1.csv_file import read_track1
from sscd.formats.track2.layouts import MAX_DIMENSIONS
from sscd.report.evaluation_tables import edits_table, figures_table, thresholds_table
from sscd.search.knn import Device, Engine
from sscd.terminal import say, say_json, warn, watched

_FEWEST_SAMPLES = 20
ProtocolChoice = Literal["both", "neighbours", "global"]


def evaluate(
    files: list[Path],
    ground_truth: Path,
    references: list[Path] | None = None,
    protocol: ProtocolChoice = "both",
    edits: Path | None = None,
    training: list[Path] | None = None,
    projection: ProjectionChoice = "none",
    dims: int | None = None,
    stretch: str | None = None,
    score_norm: str | None = None,
    calibration: Path | None = None,
    samples: int = 1000,
    device: Device = "auto",
    engine: Engine = "auto",
    json: bool = False,
) -> None:
    """Judge descriptors or predictions against a ground truth.

    Args:
        files: A track-2 file; or descriptors of the queries (HDF5, Parquet), with --references; or
            track-1 predictions (CSV). Several files of a kind are read as one. Told by content.
        ground_truth: CSV of query_id,reference_id.
        references: Files with descriptors of the references, where they are not in `files`.
        protocol: SSCD's 10 neighbours a query, the challenge's globally best 500,000 pairs, or
            both.
        edits: An edits.jsonl of the queries, for figures by edit.
        training: Files with descriptors of training pictures, to learn post-processing on.
        projection: Learn and apply centring, PCA or PCA whitening.
        dims: Dimensions of the result, of which score normalisation takes one.
        stretch: Negative embedding subtraction, WEIGHT[FIRST,LAST] with ranks from 0.
        score_norm: Score normalisation, WEIGHT[FIRST,LAST] with ranks from 0; SSCD's is 1.0[0,2].
        calibration: Write here, as JSON, what `sscd match` and `sscd dedup` choose thresholds by.
        samples: Resamples of the bootstrap intervals; 0 for none.
        device: Where the search runs.
        engine: What searches for neighbours.
        json: Print JSON in place of tables.
    """
    steps = Steps.parse(projection=projection, dims=dims, stretch=stretch, score_norm=score_norm)
    if samples < 0 or 0 < samples < _FEWEST_SAMPLES:
        raise UserError(f"--samples {samples}: give 0 for none, or at least {_FEWEST_SAMPLES}")
    if training and not steps.given:
        raise UserError("--training is for --projection, --stretch and --score-norm; add one")
    if calibration is not None:
        check_writable_directory(calibration.parent)
    truth = read_ground_truth(ground_truth)
    records = read_edits(edits) if edits is not None else None
    if kind_of(files[0]) == "track1":
        if steps.given or training:
            raise UserError(f"{files[0]} holds predictions; post-processing needs descriptors")
        if references:
            raise UserError(f"{files[0]} holds predictions; --references is for descriptors")
        if calibration is not None:
            raise UserError(f"{files[0]} holds predictions; --calibration needs descriptors")
        judged, origin = [_judge_pairs(files, truth)], Origin()
    else:
        sides = _open_sides(files, references or files, truth)
        sides = _processed(sides, steps, training, device=device)
        protocols: tuple[Protocol, ...] = ("neighbours", "global")
        judged = [
            _judge(sides, truth, protocol=one, device=device, engine=engine)
            for one in protocols
            if protocol in ("both", one)
        ]
        origin = sides[0].origin
    # Of both protocols, the list of the best pairs has all wrong ones down to its end.
    learnt = calibrate(judged[-1], origin=origin, metric="l2")
    if calibration is not None:
        write_calibration(calibration, learnt)
    by_edit = figures_by_edit(judged[0].candidates, records) if records is not None else None
    (_say_json if json else _say)(judged, learnt, by_edit, samples=samples)


def _judge_pairs(files: list[Path], truth: GroundTruth) -> Evaluation:
    predictions = read_track1(files)
    if predictions.dropped:
        warn(f"{predictions.dropped:,} predictions are over 500,000; the best are judged")
    predictions, changed = predictions.named_as(
        queries=_queries_of(truth), references={reference for _, reference in truth.pairs}
    )
    _say_renamed(changed)
    ids = (predictions.query_ids, predictions.reference_ids)
    return evaluate_pairs(*ids, predictions.scores, truth)


def _open_sides(
    files: list[Path], references: list[Path], truth: GroundTruth
) -> tuple[Descriptors, Descriptors]:
    """Queries and references with ids as the ground truth has them."""
    if references is files and (alone := [f for f in files if kind_of(f) != "track2"]):
        raise UserError(
            f"{alone[0]} holds one set of descriptors; give the other with --references"
        )
    sides = (
        _named_as(open_descriptors(files, side="query"), _queries_of(truth)),
        _named_as(
            open_descriptors(references, side="reference"),
            {reference for _, reference in truth.pairs},
        ),
    )
    check_origins(*sides, names=("the queries", "the references"))
    return sides


def _named_as(descriptors: Descriptors, known: set[str]) -> Descriptors:
    renamed = match_ids(descriptors.ids, known)
    _say_renamed(renamed.changed)
    return Descriptors(renamed.ids, descriptors.vectors, descriptors.origin)


def _queries_of(truth: GroundTruth) -> set[str]:
    return {query for query, _ in truth.pairs} | (truth.listed or frozenset())


def _say_renamed(changed: int) -> None:
    if changed:
        warn(f"{changed:,} ids differ from the ground truth's in their extension only; matched")


def _processed(
    sides: tuple[Descriptors, Descriptors],
    steps: Steps,
    training: list[Path] | None,
    *,
    device: Device,
) -> tuple[Descriptors, Descriptors]:
    if not steps.given:
        return sides
    learnt = open_descriptors(training, side="reference") if training else None
    if learnt is not None:
        check_origins(sides[0], learnt, names=("the queries", "the training descriptors"))
    own = sides[0].vectors.shape[1]
    # As an export would, where track 2 takes such descriptors at all.
    reduced = steps.projection in ("pca", "whiten") and own <= MAX_DIMENSIONS
    chain, projected = fit(steps, learnt, own=own, limit=MAX_DIMENSIONS if reduced else None)
    queries, references = sides
    return (
        process(queries, "query", chain, training=projected, device=device),
        process(references, "reference", chain, training=projected, device=device),
    )


def _judge(
    sides: tuple[Descriptors, Descriptors],
    truth: GroundTruth,
    *,
    protocol: Protocol,
    device: Device,
    engine: Engine,
) -> Evaluation:
    queries, references = sides
    with watched(references.vectors, f"searching, {protocol}") as vectors:
        return evaluate_descriptors(
            queries,
            Descriptors(references.ids, vectors, references.origin),
            truth,
            protocol=protocol,
            device=device,
            engine=engine,
        )


def _say(
    judged: list[Evaluation], learnt: Calibration, by_edit: EditBreakdown | None, *, samples: int
) -> None:
    console = Console()
    figures = judged[0].figures
    if figures.unlisted_queries:
        warn(f"{figures.unlisted_queries:,} queries are not in the ground truth and were left out")
    if figures.missing_queries:
        warn(f"{figures.missing_queries:,} queries of the ground truth have no descriptor")
    if figures.missing_pairs:
        warn(
            f"{figures.missing_pairs:,} of {figures.true_pairs:,} true pairs count as missed: "
            "their query or their reference has no descriptor"
        )
    systems = {e.figures.protocol: (e.figures, _interval(e, samples)) for e in judged}
    console.print(figures_table(systems))
    console.print(thresholds_table(learnt.table(), protocol=learnt.protocol))
    if by_edit is not None:
        if by_edit.warning:
            warn(by_edit.warning)
        console.print(edits_table(by_edit))
    say("scores are minus squared L2 distances, or as the predictions have them")


def _say_json(
    judged: list[Evaluation], learnt: Calibration, by_edit: EditBreakdown | None, *, samples: int
) -> None:
    protocols = []
    for evaluation in judged:
        interval = _interval(evaluation, samples)
        protocols.append(
            evaluation.figures.as_json()
            | {"micro_ap_interval": asdict(interval) if interval else None}
        )
    value: dict[str, Any] = {
        "protocols": protocols,
        "thresholds": [cell.as_json() for cell in learnt.table()],
        "origin": asdict(learnt.origin),
    }
    if by_edit is not None:
        value["edits"] = asdict(by_edit)
    say_json(value)


def _interval(evaluation: Evaluation, samples: int) -> Interval | None:
    return micro_ap_interval(evaluation.candidates, samples=samples) if samples else None
