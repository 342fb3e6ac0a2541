from pathlib import Path
from typing import Any

import pytest

from benchmarks.recipes.comparing import TableLine, lines_of
from benchmarks.recipes.curves import Curve, draw_curves
from benchmarks.recipes.edits import missed_queries
from benchmarks.recipes.lab import Lab
from benchmarks.recipes.results import (
    Outcome,
    all_outcomes,
    chosen_ways,
    evaluation_file,
    outcome_file,
    read_outcome,
    refuse_second_look,
    write_outcome,
)
from benchmarks.recipes.table import markdown
from sscd.errors import UserError
from sscd.evaluation.bootstrap import micro_ap_interval, paired_difference
from sscd.formats.evaluation_file import write_evaluations
from sscd.report.systems.rows import TableFacts
from tests.evaluation.judged_sets import judged_system

FACTS = TableFacts("development", 84, 60, 40, 20, "10 neighbours a query")


def outcome(
    lab: Lab, row: str, seed: int | None, *, noise: float, queries: int = 40, training: str = ""
) -> Outcome:
    """A row whose copies are so noisy, the same without and with normalisation."""
    judged = judged_system(system=row, noise=noise, queries=queries)
    figures = judged.evaluation.figures
    shown = {"micro_ap": figures.micro_ap, "recall_at_p90": figures.recall_at_p90}
    way: dict[str, Any] = {"neighbours": shown, "global": {"micro_ap": 0.5}}
    made = Outcome(
        row=row,
        about=f"about {row}",
        seed=seed,
        ways={"raw": way | {"norm": ""}, "whitened-normalised": way | {"norm": "1.0[0,2]"}},
        headline={"plain": "raw", "normalised": "whitened-normalised"},
        cost=None if seed is None else 1000.0,
        facts={"dims": 16, "cpu_seconds": None if seed is None else 60.0 * (1 + seed)},
        asked={"training": training or row},
    )
    for name in made.ways:
        write_evaluations(evaluation_file(lab, "development", made.name, name), [judged])
    write_outcome(lab, "development", made)
    return made


def lines(lab: Lab) -> dict[str, TableLine]:
    found = lines_of(
        all_outcomes(lab, "development"),
        lab=lab,
        benchmark="development",
        samples=40,
        chosen=chosen_ways(lab),
    )
    return {line.row: line for line in found}


def test_outcomes_are_read_as_they_were_written(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    made = outcome(lab, "a", 3, noise=0.5)
    assert read_outcome(outcome_file(lab, "development", "a-seed3")) == made
    outcome_file(lab, "development", "b").write_text('{"row": "b"}', encoding="utf-8")
    with pytest.raises(UserError, match=r"b\.json is no result of a row"):
        all_outcomes(lab, "development")
    with pytest.raises(UserError, match="no results of test yet"):
        all_outcomes(lab, "test")


def test_rows_stand_beside_the_published_one(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    outcome(lab, "published", 0, noise=1.2)
    outcome(lab, "published", 1, noise=1.3)
    outcome(lab, "better", 1, noise=0.6, training="published")  # described otherwise
    outcome(lab, "other", 1, noise=0.7)
    outcome(lab, "GIST, PCA 256", None, noise=1.25)
    found = lines(lab)
    assert next(iter(found)) == "better"
    assert found["published"].normalised.difference is None
    told = found["better"].normalised
    alone, base = judged_system(noise=0.6), judged_system(noise=1.3)  # seed 1 with seed 1
    own, other = alone.evaluation.candidates, base.evaluation.candidates
    expected = paired_difference(own, other, samples=40)
    assert told.base_seeds == (1,)
    assert told.difference is not None
    assert (told.difference.estimate, told.difference.low, told.difference.high) == pytest.approx(
        (expected.estimate, expected.low, expected.high)
    )
    assert told.micro_ap == micro_ap_interval(own, samples=40)
    # What was trained otherwise, or not at all, is compared with all of the published row.
    figures = found["published"].plain.by_seed
    for name in ("GIST, PCA 256", "other"):
        one = found[name].plain
        assert one.base_seeds == (0, 1)
        assert one.difference is not None
        assert one.difference.estimate == pytest.approx(one.by_seed[0] - sum(figures) / 2)
    assert found["published"].cpu_seconds == 90.0  # of 60 and 120


def test_a_look_at_test_is_taken_once(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    made = outcome(lab, "a", 0, noise=0.5)
    refuse_second_look(lab, made.name, {"checkpoint": "1"})  # nothing was looked at yet
    write_outcome(lab, "test", made)
    refuse_second_look(lab, made.name, made.asked)
    with pytest.raises(UserError, match=r"a-seed0 has changed since .* looked at once"):
        refuse_second_look(lab, made.name, {"checkpoint": "1"})


def test_other_queries_are_refused(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    outcome(lab, "published", 0, noise=1.0)
    outcome(lab, "other", 0, noise=1.0, queries=38)
    with pytest.raises(UserError, match="judged on other queries"):
        lines(lab)


def test_the_table_in_markdown(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    outcome(lab, "published", 0, noise=1.0)
    outcome(lab, "published", 1, noise=1.2)
    outcome(lab, "dHash", None, noise=1.5)
    text = markdown(list(lines(lab).values()), FACTS, budget=2000)
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert len({len(row) for row in rows}) == 1
    assert [row[0] for row in rows[2:]] == ["| published", "| dHash"]
    assert rows[2][7:10] == ["2", "1,000", "2"]
    assert rows[3][7:10] == ["–", "–", "–"]
    assert "may cost 2,000 views" in text
    assert "(seed 0)" in text


def test_missed_copies_are_those_below_the_threshold() -> None:
    judged = judged_system(noise=0.9)
    candidates = judged.evaluation.candidates
    right = candidates.scores[candidates.correct]
    threshold = float(sorted(right)[len(right) // 2])
    copies = {query for query, _ in judged.truth.pairs}
    missed = missed_queries(judged, threshold=threshold)
    assert len(missed) == len(copies) - int((right >= threshold).sum())
    assert missed_queries(judged, threshold=float("inf")) == copies
    assert missed_queries(judged, threshold=-99.0) == copies - {
        candidates.query_ids[row] for row in candidates.query[candidates.correct].tolist()
    }


def test_curves_are_drawn_in_the_colours_of_their_rows() -> None:
    curves = [
        Curve("published", ((10.0, 0.1), (20.0, 0.2))),
        Curve("best", ((10.0, 0.2), (20.0, 0.3))),
        *(Curve(f"other {number}", ((5.0, 0.05), (20.0, 0.1))) for number in range(9)),
    ]
    image = draw_curves(curves, best=["best", "published"]).image
    colours = {colour for _, colour in image.getcolors(maxcolors=image.width * image.height) or []}
    assert {(46, 108, 160), (38, 38, 38), (200, 200, 196)} <= colours
