"""Which picture plays which part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sscd.data.benchmark.plan import Plan, plan_benchmark
from sscd.data.records import ImageSet
from sscd.data.stable_hash import stable_fractions
from tests.data.benchmark.requests import SMALL

REQUEST = replace(
    SMALL, references=40, queries=15, distractors=10, training=30, extras=7, air_gap=0.12
)


def _images(count: int, *, without: int | None = None) -> ImageSet:
    names = [f"a/{number}.jpg".encode() for number in range(count) if number != without]
    order = np.argsort(stable_fractions(names, salt="order of the test"))
    return ImageSet.from_names("pictures", root=Path("x"), names=[names[i] for i in order])


def _parts(plan: Plan) -> dict[str, str]:
    parts: dict[str, str] = {picture.source: picture.part for picture in plan.pictures}
    parts |= {query.source: "distractors" for query in plan.queries if not query.reference}
    return parts | dict.fromkeys(plan.extras, "extras")


def test_counts_ids_and_disjoint_parts() -> None:
    plan = plan_benchmark(_images(120), REQUEST)
    assert [p.id for p in plan.pictures[:40]] == [f"R{n:06d}" for n in range(40)]
    assert [p.id for p in plan.pictures[40:]] == [f"T{n:06d}" for n in range(30)]
    assert [q.id for q in plan.queries] == [f"Q{n:05d}" for n in range(50)]
    assert [q.split for q in plan.queries] == ["dev"] * 25 + ["test"] * 25
    assert plan.pictures[0].file == "references/R000000.jpg"
    assert plan.pictures[40].file == "train/T000000.jpg"
    assert plan.queries[25].file == "test_queries/Q00025.jpg"
    # Four disjoint parts: 40 references, 2 * 10 distractors, 7 extras, 30 training pictures.
    assert len(_parts(plan)) == 97


def test_each_reference_is_copied_once_at_most_over_both_phases() -> None:
    plan = plan_benchmark(_images(120), REQUEST)
    copies = [query for query in plan.queries if query.reference]
    assert len({query.reference for query in copies}) == len(copies) == 30
    source = {picture.id: picture.source for picture in plan.pictures}
    assert all(source[query.reference] == query.source for query in copies)
    assert len({query.source for query in plan.queries}) == 50


def test_the_truth_lists_all_queries_of_a_phase() -> None:
    plan = plan_benchmark(_images(120), REQUEST)
    truth = plan.truth("test")
    assert truth.listed == frozenset(f"Q{n:05d}" for n in range(25, 50))
    assert len(truth.pairs) == 15


def test_copies_and_distractors_are_mixed() -> None:
    plan = plan_benchmark(_images(120), REQUEST)
    kinds = [bool(query.reference) for query in plan.queries[:25]]
    assert kinds != sorted(kinds)
    assert kinds != sorted(kinds, reverse=True)


def test_shares_of_tables_are_exact_and_the_air_gap_is_of_the_test_phase() -> None:
    plan = plan_benchmark(_images(120), REQUEST)
    tables = [query.table for query in plan.queries]
    assert sorted(tables[:25]) == ["by_hand"] * 5 + ["dev"] * 20
    assert sorted(tables[25:]) == ["air_gap"] * 3 + ["by_hand"] * 5 + ["test"] * 17
    whole = plan_benchmark(_images(120), replace(REQUEST, by_hand=0.5, air_gap=0.5))
    assert {query.table for query in whole.queries[25:]} == {"by_hand", "air_gap"}


def test_a_picture_more_moves_one_picture_at_each_border() -> None:
    before = plan_benchmark(_images(120, without=17), REQUEST)
    after = plan_benchmark(_images(120), REQUEST)
    moved = {s for s, part in _parts(before).items() if _parts(after).get(s) != part}
    assert len(moved) <= 5
    tables = {query.source: query.table for query in before.queries}
    changed = [q.source for q in after.queries if tables.get(q.source, q.table) != q.table]
    assert len(changed) <= 6


def test_the_seed_changes_the_choice() -> None:
    first = plan_benchmark(_images(120), REQUEST)
    second = plan_benchmark(_images(120), replace(REQUEST, seed=1))
    assert {q.reference for q in first.queries} != {q.reference for q in second.queries}


def test_too_few_pictures_are_an_error() -> None:
    with pytest.raises(ValueError, match="images got 96 pictures; expected at least 97"):
        plan_benchmark(_images(96), REQUEST)
