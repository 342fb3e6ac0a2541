"""One system measured on a table's data: its row, and the evaluations behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sscd.commands.judging import watched_draws
from sscd.commands.systems.attacked import Attacks, micro_aps_under
from sscd.commands.systems.data import TableData
from sscd.commands.systems.plan import SystemPlan
from sscd.commands.systems.stored_descriptors import KeptStopwatch
from sscd.data.skipped import SkipLog
from sscd.evaluation.bootstrap import Watch, micro_ap_interval
from sscd.evaluation.protocol import Evaluation, evaluate_found
from sscd.formats.usage import utc_now
from sscd.report.systems.rows import Measured, SystemRow
from sscd.search.pairs import CHALLENGE_LIMIT


@dataclass(frozen=True)
class MeasuredSystem:
    """What came out of a system.

    Attributes:
        row: Of the table.
        plain: By its own scores.
        normalised: By normalised scores.
        attacked: As `micro_aps_under`; empty where nothing was attacked.
        unreadable: Path → reason of the pictures that could not be read.
    """

    row: SystemRow
    plain: Evaluation
    normalised: Evaluation
    attacked: Mapping[str, float]
    unreadable: Mapping[str, str]


def measure(
    plan: SystemPlan, data: TableData, attacks: Attacks | None, *, samples: int, begun: str
) -> MeasuredSystem:
    """Let a system learn, index and search; nothing holds it afterwards.

    Args:
        plan: The system.
        data: What it is measured on.
        attacks: Attacked queries; None for none.
        samples: Resamples of the bootstrap intervals; 0 for none.
        begun: When the command began, UTC, ISO 8601.

    Raises:
        UserError: The system cannot be made, or pictures cannot be read.
    """
    skipped = SkipLog()
    system = plan.build(skipped)
    system.learn(data.collection.training)
    system.index(data.collection.references)
    found = system.search(data.queries, limit=CHALLENGE_LIMIT)
    plain, normalised = (
        evaluate_found(found.query_ids, system.reference_ids, pairs, data.collection.truth)
        for pairs in (found.plain, found.normalised)
    )
    with watched_draws(2, samples=samples) as watch:
        both = [_measured(one, samples=samples, watch=watch) for one in (plain, normalised)]
    each = system.watch.seconds_a_picture
    described = system.watch.described if isinstance(system.watch, KeptStopwatch) else ""
    row = SystemRow(
        system=plan.name,
        dims=system.dims,
        plain=both[0],
        normalised=both[1],
        norm=str(system.norm),
        milliseconds=None if each is None else 1000 * each,
        hardware=system.hardware,
        note=plan.note,
        fingerprint=plan.fingerprint,
        missing_pairs=plain.figures.missing_pairs,
        measured=described or utc_now(exactly=True),
        earlier=bool(described) and described < begun,
    )
    # After the row: these searches describe more pictures, of another kind.
    under = micro_aps_under(attacks, system, data) if attacks is not None else {}
    return MeasuredSystem(row, plain, normalised, under, skipped.reasons)


def measure_attacks(
    plan: SystemPlan, data: TableData, attacks: Attacks, *, skipped: SkipLog
) -> dict[str, float]:
    """Only what an attack does to a system whose row is there.

    Args:
        plan: The system.
        data: What it is measured on.
        attacks: Attacked queries.
        skipped: Takes note of what cannot be read.

    Raises:
        UserError: As `measure`.
    """
    system = plan.build(skipped)
    system.learn(data.collection.training)
    system.index(data.collection.references)
    return micro_aps_under(attacks, system, data)


def _measured(evaluation: Evaluation, *, samples: int, watch: Watch) -> Measured:
    interval = None
    if samples:
        interval = micro_ap_interval(evaluation.candidates, samples=samples, watch=watch)
    return Measured(
        micro_ap=evaluation.figures.micro_ap,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        recall_at_p90=evaluation.figures.recall_at_p90,
    )
