"""What commands judge and compare: predictions, two sides of descriptors, whole systems."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sscd.commands.postprocess import Steps, check_origins, fit, process
from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.bootstrap import Watch
from sscd.evaluation.differences import FIGURES
from sscd.evaluation.examples import PAIRS
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import Evaluation, Protocol, evaluate_descriptors, evaluate_pairs
from sscd.formats.descriptor_files import open_descriptors
from sscd.formats.extensions import match_ids
from sscd.formats.kinds import kind_of
from sscd.formats.track1.csv_file import read_track1
from sscd.formats.track2.layouts import MAX_DIMENSIONS
from sscd.report.contents import Contents, make_contents
from sscd.search.knn import Device, Engine
from sscd.terminal import warn, watched, working


@contextmanager
def watched_draws(systems: int, *, samples: int, differences: int = 0) -> Iterator[Watch]:
    """Show how far the bootstraps of a report are, all of them as one bar.

    Args:
        systems: Intervals of figures.
        samples: Resamples of each.
        differences: Intervals of differences.
    """
    total = (systems + differences) * samples
    with working("resampling queries", total=total, unit="resamples") as work:

        def watch(draws: range) -> Iterator[int]:
            for draw in draws:
                yield draw
                work.advance()

        yield watch


def watched_contents(
    systems: Sequence[Judged], *, pairs: int = PAIRS, samples: int = 1000
) -> Contents:
    """What is shown of systems side by side, made with a progress bar; as `make_contents`."""
    compared = len(FIGURES) * (len(systems) - 1)
    with watched_draws(len(systems), samples=samples, differences=compared) as watch:
        return make_contents(systems, pairs=pairs, samples=samples, watch=watch)


def judge_predictions(files: list[Path], truth: GroundTruth) -> Evaluation:
    """Judge the predictions of track-1 files.

    Raises:
        UserError: A file is malformed, or a pair occurs twice.
    """
    predictions = read_track1(files)
    if predictions.dropped:
        warn(f"{predictions.dropped:,} predictions are over 500,000; the best are judged")
    predictions, changed = predictions.named_as(
        queries=_queries_of(truth), references={reference for _, reference in truth.pairs}
    )
    _say_renamed(changed)
    ids = (predictions.query_ids, predictions.reference_ids)
    return evaluate_pairs(*ids, predictions.scores, truth)


def open_sides(
    files: list[Path], references: list[Path], truth: GroundTruth
) -> tuple[Descriptors, Descriptors]:
    """Queries and references with ids as the ground truth has them.

    Raises:
        UserError: A file cannot be read, or the two sides were made by different models.
    """
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


def processed(
    sides: tuple[Descriptors, Descriptors],
    steps: Steps,
    training: list[Path] | None,
    *,
    device: Device,
) -> tuple[Descriptors, Descriptors]:
    """Both sides after post-processing, learnt on training descriptors.

    Raises:
        UserError: The training descriptors are missing, or of another model.
    """
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


def judge_descriptors(
    sides: tuple[Descriptors, Descriptors],
    truth: GroundTruth,
    *,
    protocol: Protocol,
    device: Device,
    engine: Engine,
) -> Evaluation:
    """Search by a protocol, with a progress bar, and judge what was found."""
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
