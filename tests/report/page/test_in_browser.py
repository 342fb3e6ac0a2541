"""The page of two systems in a headless Chromium, as a person uses it."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.examples import Example, false_matches, missed_copies
from sscd.evaluation.judged import Judged
from sscd.evaluation.report import Report, make_report
from sscd.report.page.build import write_page
from tests.report.page.chromium import Chromium
from tests.report.page.counts import expected, shown, threshold
from tests.report.page.systems import predicted

pytestmark = pytest.mark.slow
RIGHT, ENTER, ESCAPE = "\ue014", "\ue007", "\ue00c"


def test_the_buttons_go_to_the_thresholds_of_the_table(
    opened: Chromium, systems: list[Judged]
) -> None:
    report = make_report(systems[0], samples=0)
    table = {
        cell.threshold
        for cell in report.thresholds
        if math.isfinite(cell.threshold) and (cell.scale == 1 or cell.precision == 0.9)
    }
    reached = set()
    for number in range(len(opened.texts("#jumps button"))):
        opened.click(f"#jumps button:nth-child({number + 1})")
        reached.add(threshold(opened))
        assert shown(opened) == expected(systems[0], threshold(opened))
    assert reached == table


def test_a_threshold_that_rests_on_few_wrong_pairs_is_a_guess(
    opened: Chromium, systems: list[Judged]
) -> None:
    opened.choose("#threshold", "100000")
    assert opened.text("#live-doubt") == "? rests on 0 wrong pairs: a guess"
    opened.choose("#threshold", "0")
    assert int(opened.text("#live-wrong").replace(",", "")) >= 10
    assert opened.text("#live-doubt") == ""
    report = make_report(systems[0], samples=0)
    table = [
        cell
        for cell in report.thresholds
        if math.isfinite(cell.threshold) and (cell.scale == 1 or cell.precision == 0.9)
    ]
    marked = [text.endswith(" ?") for text in opened.texts("#jumps button")]
    assert marked == [not cell.supported for cell in table]
    assert any(marked)


def test_other_runs_are_on_a_card_where_the_data_are_the_same(
    browser: Chromium, systems: list[Judged], tmp_path: Path
) -> None:
    other = replace(
        systems[1],
        system="elsewhere",
        truth=GroundTruth(frozenset({("Q0001", "R0000")}), systems[1].truth.listed),
    )
    path = tmp_path / "report.html"
    write_page(path, [*systems, other], samples=0)
    browser.open(path)
    assert "perceptual hash" in browser.text("#cards .others")
    assert not any("elsewhere" in text for text in browser.texts("#cards .others"))
    browser.choose("#system", "2")
    assert browser.texts("#cards .card")
    assert browser.texts("#cards .others") == []
    assert "different data" in browser.text("#figures .note")
    assert not browser.complaints()


def test_few_edits_leave_no_blank_under_their_bars(opened: Chromium) -> None:
    drawn = opened.run("document.querySelector('#plot-edits').layout.height")
    assert 100 < drawn < 300
    assert opened.run("byId('plot-edits').offsetHeight") == drawn


def test_the_focus_of_the_slider_covers_no_label(opened: Chromium) -> None:
    opened.run("byId('threshold').focus({ focusVisible: true })")
    outline = opened.run("parseFloat(getComputedStyle(byId('threshold')).outlineOffset)")
    width = opened.run("parseFloat(getComputedStyle(byId('threshold')).outlineWidth)")
    assert outline + width <= 0 < width


def test_scores_that_round_to_zero_have_no_sign(browser: Chromium, page: Path) -> None:
    browser.open(page)
    assert browser.run("scoreText(-0.00001)") == "0.0000"
    assert browser.run("scoreText(-0.00005)") in ("0.0000", "−0.0001")
    assert browser.run("scoreText(-0.5)") == "−0.5000"


def pairs(browser: Chromium, kind: str) -> int:
    browser.click(f"input[value={kind}]")
    assert browser.text("#shown").split()[0] in (browser.text(f"#count-{kind}"), "No")
    return int(browser.run("rows.length"))


def test_filters_show_what_they_say(opened: Chromium, systems: list[Judged]) -> None:
    report: Report = make_report(systems[0], samples=0)
    examples: tuple[Example, ...] = report.examples
    opened.click("#jumps button:nth-child(1)")
    now = threshold(opened)
    assert pairs(opened, "all") == len(examples) == 60
    assert pairs(opened, "right") == sum(one.correct for one in examples)
    assert pairs(opened, "false") == len(false_matches(examples))
    assert pairs(opened, "missed") == len(missed_copies(examples, threshold=now)) > 0
    passing = [one for one in examples if one.score is not None and one.score >= now]
    assert pairs(opened, "passing") == len(passing) > 0
    assert not opened.run("document.querySelector('#cards .rejected')")
    pairs(opened, "all")
    opened.choose("#edit", "blur")
    assert opened.run("rows.length") == sum("blur" in one.edits for one in examples)
    opened.choose("#edit", "")
    opened.choose("#search", "q0007")
    assert [text.split(" → ")[0] for text in opened.texts("#cards .names")] == ["Q0007"]
    opened.choose("#search", "no such id")
    assert opened.text("#shown").startswith("No query is like that")
    opened.choose("#search", "")
    opened.choose("#order", "rising")
    assert opened.texts("#cards .names")[0].startswith(examples[-1].query)


def test_cards_follow_the_threshold_and_are_drawn_in_parts(opened: Chromium) -> None:
    assert len(opened.texts("#cards .card")) == 24
    opened.click("#more")
    assert len(opened.texts("#cards .card")) == 60
    assert opened.run("document.querySelector('#more').hidden")
    opened.choose("#threshold", "0")
    loose = len(opened.texts("#cards .rejected"))
    opened.choose("#threshold", "100000")
    assert len(opened.texts("#cards .rejected")) > loose
    states = set(opened.texts("#cards .state"))
    assert {"rejected", "copy missed"} <= states
    assert states <= {"accepted", "rejected", "copy missed", "accepted, copy missed"}


def test_pictures_are_those_of_the_card(opened: Chromium) -> None:
    opened.wait("document.querySelector('#cards img').naturalWidth > 0")
    opened.run("window.scrollTo(0, document.body.scrollHeight)")
    opened.wait("[...document.querySelectorAll('#cards img')].every((one) => one.naturalWidth > 0)")
    assert opened.run("document.querySelector('#cards img').alt") == "query"


def test_a_closer_look_by_keys(opened: Chromium) -> None:
    opened.run("document.querySelector('#cards .pair').focus()")
    opened.press(ENTER)
    assert opened.run("zoom.open")
    assert opened.text("#zoom code") == opened.texts("#cards .names")[0].split(" → ")[0]
    opened.press(RIGHT)
    assert opened.text("#zoom code") == opened.texts("#cards .names")[1].split(" → ")[0]
    opened.wait("[...zoom.querySelectorAll('img')].every((one) => one.naturalWidth > 0)")
    opened.press(ESCAPE)
    assert not opened.run("zoom.open")
    assert opened.run("document.activeElement.closest('.card').dataset.row") == "1"
    assert not opened.complaints()


def test_another_system_can_be_chosen(opened: Chromium, systems: list[Judged]) -> None:
    assert "perceptual hash" in opened.text("#cards .others")
    opened.choose("#system", "1")
    assert threshold(opened) == systems[1].evaluation.figures.threshold_at_p90
    assert shown(opened) == expected(systems[1], threshold(opened))
    assert "network" in opened.text("#cards .others")
    curves: list[dict[str, Any]] = opened.run("document.querySelector('#plot-curve').data")
    assert [curve.get("name") for curve in curves][:2] == ["network", "perceptual hash"]
    assert not opened.complaints()


def test_light_and_dark(browser: Chromium, page: Path) -> None:
    seen: dict[tuple[bool, str], tuple[str, str]] = {}
    ink = "getComputedStyle(document.querySelector('#plot-curve .xtick text')).fill"
    for dark in (False, True):
        browser.open(page, dark=dark)
        colors = browser.run("getComputedStyle(document.body).backgroundColor"), browser.run(ink)
        seen[dark, ""] = colors
        browser.click("#theme")
        browser.settle()
        turned = browser.run("getComputedStyle(document.body).backgroundColor"), browser.run(ink)
        assert turned != colors
        seen[not dark, "turned"] = turned
        browser.run("localStorage.clear()")
    assert seen[True, ""] == seen[True, "turned"]
    assert seen[False, ""] == seen[False, "turned"]
    assert not browser.complaints()


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_nothing_is_wider_than_the_screen(browser: Chromium, page: Path, width: int) -> None:
    browser.open(page, width=width, height=844)
    assert browser.run("document.documentElement.scrollWidth") <= width
    small = browser.run(
        "[...document.querySelectorAll('button, select, input, summary, nav a')].filter((one) =>"
        " one.offsetHeight && one.offsetHeight < 36).map((one) => one.outerHTML)"
    )
    assert small == [], "too small for a thumb"


def test_without_a_script_the_tables_are_there(browser: Chromium, page: Path) -> None:
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.driver.get("about:blank")
        browser.driver.get(page.as_uri())
        body = browser.driver.find_element("tag name", "body").text
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)
    assert "micro-AP" in body
    assert "turned off here" in body
    assert "Which threshold?" in body
    assert "Move it" not in body


def test_infinite_scores_and_no_edits(browser: Chromium, tmp_path: Path) -> None:
    scores = (math.inf, 0.5, -0.5, -math.inf)
    pairs = [(f"q{place}", f"r{place}", score) for place, score in enumerate(scores)]
    path = tmp_path / "report.html"
    write_page(path, [predicted(pairs, [("q2", "r2"), ("q9", "r9")])], samples=0)
    browser.open(path)
    assert browser.texts("#cards .score") == ["∞", "0.5000", "−0.5000", "−∞", "none"]
    assert browser.text("#threshold-value") == "−∞"
    assert browser.texts("#jumps button") == []
    assert browser.run("document.querySelector('#plot-scores').closest('figure').hidden")
    assert not browser.run("byId('edits')")
    browser.choose("#threshold", "3")
    assert (browser.text("#live-right"), browser.text("#live-wrong")) == ("0", "1")
    assert browser.texts("#cards .state") == [
        "accepted",
        "rejected",
        "copy missed",
        "rejected",
        "copy missed",
    ]
    assert not browser.complaints()
