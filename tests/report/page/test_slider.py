"""The slider in a headless Chromium: it moves, and the figures of the page with it."""

import pytest

from sscd.evaluation.judged import Judged
from tests.report.page.chromium import Chromium
from tests.report.page.counts import FIGURES, expected, shown, threshold

LEFT, PAGE_DOWN = "\ue012", "\ue00f"


def test_the_slider_moves_by_keys_and_all_follows(opened: Chromium, systems: list[Judged]) -> None:
    start = threshold(opened)
    assert start == systems[0].evaluation.figures.threshold_at_p90
    assert shown(opened) == expected(systems[0], start)
    before = shown(opened)
    opened.run("document.querySelector('#threshold').focus()")
    opened.press(LEFT, LEFT, PAGE_DOWN)
    now = threshold(opened)
    assert now < start
    assert shown(opened) == expected(systems[0], now) != before
    value = opened.run("document.querySelector('#threshold').getAttribute('aria-valuetext')")
    assert f"precision {shown(opened)['precision']}" in value
    guess = "" if int(shown(opened)["wrong"].replace(",", "")) >= 10 else "a guess"
    assert opened.text("#live-doubt").endswith(guess)
    dot = opened.run("document.querySelector('#plot-curve').data.at(-1)")
    assert f"{dot['y'][0]:.4f}" == shown(opened)["precision"]
    line = opened.run("document.querySelector('#plot-scores').layout.shapes[0].x0")
    assert line == pytest.approx(now)
    assert not opened.complaints()


@pytest.mark.slow
def test_every_stop_of_the_slider_counts_as_python_does(
    opened: Chromium, systems: list[Judged]
) -> None:
    stops = opened.run(
        "((slider, figures) => Array.from({ length: Number(slider.max) + 1 }, (_, value) => {"
        " slider.value = value; slider.dispatchEvent(new Event('input'));"
        " return [system().points.scores[chosen.at],"
        " Object.fromEntries(figures.map((name) => [name, byId(`live-${name}`).textContent]))];"
        " }))(byId('threshold'), arguments[0])",
        FIGURES,
    )
    assert len(stops) > 100
    for score, figures in stops:
        assert figures == expected(systems[0], score)
