"""`sscd evaluate`: descriptors or predictions to figures, by both published protocols."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from rich.console import RenderableType

from sscd import __version__
from sscd.commands.judging import (
    judge_descriptors,
    judge_predictions,
    open_sides,
    processed,
    watched_draws,
)
from sscd.commands.postprocess import ProjectionChoice, Steps
from sscd.data.descriptors import Origin
from sscd.data.ground_truth import read_ground_truth
from sscd.data.pictures.remote import local_path
from sscd.errors import UserError
from sscd.evaluation.calibration import calibrate, write_calibration
from sscd.evaluation.edit_records import read_edits
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import Protocol
from sscd.evaluation.report import Report, make_report
from sscd.files import check_not_input, check_output_place, check_writable_directory
from sscd.formats.evaluation_file import write_evaluations
from sscd.formats.kinds import kind_of
from sscd.report.evaluation_tables import edits_table, figures_table, thresholds_table
from sscd.search.knn import Device, Engine
from sscd.terminal import Result, warn

_FEWEST_SAMPLES = 20
_PROTOCOLS: tuple[Protocol, ...] = ("neighbours", "global")
_NOTES = ("scores are minus squared L2 distances, or as the predictions have them",)
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
    output: Path | None = None,
    name: str | None = None,
    query_pictures: str | None = None,
    reference_pictures: str | None = None,
    samples: int = 1000,
    device: Device = "auto",
    engine: Engine = "auto",
) -> Result:
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
        output: Write the evaluation here, as HDF5, for `sscd report`.
        name: What the system is called in reports; by default the name of the first file.
        query_pictures: Where the pictures of the queries lie, for reports.
        reference_pictures: Where those of the references lie, likewise.
        samples: Resamples of the bootstrap intervals; 0 for none.
        device: Where the search runs.
        engine: What searches for neighbours.
    """
    steps = Steps.parse(projection=projection, dims=dims, stretch=stretch, score_norm=score_norm)
    if samples < 0 or 0 < samples < _FEWEST_SAMPLES:
        raise UserError(f"--samples {samples}: give 0 for none, or at least {_FEWEST_SAMPLES}")
    if training and not steps.given:
        raise UserError("--training is for --projection, --stretch and --score-norm; add one")
    if output is None and (name or query_pictures or reference_pictures):
        raise UserError(
            "--name, --query-pictures and --reference-pictures are kept in a file; add --output"
        )
    inputs = [*files, *(references or []), *(training or []), ground_truth, edits]
    _check_outputs(calibration, output, inputs)
    truth = read_ground_truth(ground_truth)
    records = read_edits(edits) if edits is not None else None
    if kind_of(files[0]) == "track1":
        _check_predictions(files[0], steps, training, references, calibration)
        evaluations, origin = [judge_predictions(files, truth)], Origin()
    else:
        sides = open_sides(files, references or files, truth)
        sides = processed(sides, steps, training, device=device)
        evaluations = [
            judge_descriptors(sides, truth, protocol=one, device=device, engine=engine)
            for one in _PROTOCOLS
            if protocol in ("both", one)
        ]
        origin = sides[0].origin
    judged = [
        Judged(
            system=name or files[0].stem,
            data=ground_truth.absolute().parent.name,
            evaluation=evaluation,
            truth=truth,
            edits=records,
            origin=origin,
            query_pictures=_absolute(query_pictures),
            reference_pictures=_absolute(reference_pictures),
            facts={"sscd": __version__},
        )
        for evaluation in evaluations
    ]
    with watched_draws(len(judged), samples=samples) as watch:
        reports = [make_report(one, samples=samples, watch=watch) for one in judged]
    if calibration is not None:
        write_calibration(calibration, calibrate(evaluations[-1], origin=origin, metric="l2"))
    if output is not None:
        write_evaluations(output, judged)
    for warning in dict.fromkeys(line for report in reports for line in report.warnings):
        warn(warning)
    next_steps = [f"{output}: `sscd report {output}` makes a page of it"] if output else []
    return Result(_values(reports), _tables(reports), remarks=[*_NOTES, *next_steps])


def _check_outputs(
    calibration: Path | None, output: Path | None, inputs: Sequence[Path | None]
) -> None:
    """Find out before the work whether what was asked for can be written."""
    for written in (path for path in (calibration, output) if path is not None):
        check_not_input(written, (path for path in inputs if path is not None))
    if calibration is not None:
        check_writable_directory(calibration.parent)
    if output is not None:
        check_output_place(output)


def _check_predictions(
    file: Path,
    steps: Steps,
    training: list[Path] | None,
    references: list[Path] | None,
    calibration: Path | None,
) -> None:
    if steps.given or training:
        raise UserError(f"{file} holds predictions; post-processing needs descriptors")
    if references:
        raise UserError(f"{file} holds predictions; --references is for descriptors")
    if calibration is not None:
        raise UserError(f"{file} holds predictions; --calibration needs descriptors")


def _absolute(place: str | None) -> str:
    """A place that can be found from elsewhere too."""
    if not place:
        return ""
    path = local_path(place)
    return place if path is None else str(path.absolute())


def _tables(reports: list[Report]) -> list[RenderableType]:
    by_edit = reports[0].edits
    return [
        figures_table(reports),
        # Of both protocols, the list of the best pairs has all wrong ones down to its end.
        thresholds_table(reports[-1]),
        *([edits_table(by_edit)] if by_edit is not None else []),
    ]


def _values(reports: list[Report]) -> dict[str, Any]:
    wholes = [report.as_json() for report in reports]
    values: dict[str, Any] = {
        "protocols": [
            one["figures"] | {"micro_ap_interval": one["micro_ap_interval"]} for one in wholes
        ],
        "thresholds": wholes[-1]["thresholds"],
        "origin": wholes[0]["origin"],
        "warnings": list(dict.fromkeys(line for one in wholes for line in one["warnings"])),
    }
    if wholes[0]["edits"] is not None:
        values["edits"] = wholes[0]["edits"]
    return values
