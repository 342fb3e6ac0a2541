"""A system is measured, and nothing holds it afterwards."""

import weakref
from pathlib import Path

import pytest

from sscd.baselines.system import System
from sscd.commands.systems.measuring import measure
from sscd.commands.systems.plan import SystemPlan
from sscd.commands.systems.stored_descriptors import KeptStopwatch
from sscd.data.skipped import SkipLog
from sscd.evaluation.protocol import evaluate_descriptors
from tests.commands.systems.thumbnails import open_disc, plan, thumbnails

BEGUN = "2026-01-01T00:00:00+00:00"


def test_figures_are_those_of_the_protocol(tmp_path: Path) -> None:
    data = open_disc(tmp_path)
    measured = measure(plan(), data, None, samples=20, begun=BEGUN)
    system = thumbnails()
    system.learn(data.collection.training)
    queries, references = map(system.describe, (data.queries, data.collection.references))
    truth = data.collection.truth
    expected = evaluate_descriptors(queries, references, truth, protocol="global", device="cpu")
    assert measured.plain.figures == expected.figures
    row = measured.row
    assert row.plain.micro_ap == expected.figures.micro_ap
    assert row.plain.low is not None
    assert row.plain.high is not None
    assert row.plain.low <= row.plain.micro_ap <= row.plain.high
    assert (row.system, row.dims, row.norm, row.note) == ("thumbnail", 256, "0.5[9]", "of tests")
    assert row.milliseconds is not None
    assert row.milliseconds > 0
    assert not row.earlier
    assert row.measured > BEGUN
    assert measured.attacked == {}
    assert measured.unreadable == {}


def test_a_system_is_let_go(tmp_path: Path) -> None:
    made: list[weakref.ref[System]] = []

    def build(skipped: SkipLog) -> System:
        system = thumbnails(skipped=skipped)
        made.append(weakref.ref(system))
        return system

    data = open_disc(tmp_path)
    measure(SystemPlan("a", {}, build), data, None, samples=0, begun=BEGUN)
    assert [one() for one in made] == [None]


@pytest.mark.parametrize(
    ("described", "earlier"), [("2025-12-31T23:59:59+00:00", True), (BEGUN, False), ("", False)]
)
def test_a_time_of_before_the_command_is_an_earlier_one(
    tmp_path: Path, described: str, earlier: bool
) -> None:
    watch = KeptStopwatch(seconds=2.0, pictures=1000, described=described)
    one = SystemPlan("a", {}, lambda _: thumbnails(watch))
    row = measure(one, open_disc(tmp_path), None, samples=0, begun=BEGUN).row
    assert row.milliseconds == pytest.approx(2.0)
    assert row.earlier is earlier
    assert row.plain.low is None


def test_pictures_that_cannot_be_read_are_missed_and_counted(tmp_path: Path) -> None:
    data = open_disc(tmp_path)
    (data.collection.references.root / "R001.png").write_bytes(b"broken")
    measured = measure(plan(), data, None, samples=0, begun=BEGUN)
    row = measured.row
    (unreadable,) = measured.unreadable
    assert unreadable.endswith("references/R001.png")
    assert row.missing_pairs == 1
    assert row.plain.micro_ap <= 3 / 4
