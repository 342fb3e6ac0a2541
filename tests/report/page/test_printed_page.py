"""The page on paper, and when somebody comes back to it."""

import base64
from pathlib import Path

import pytest

from tests.report.page.chromium import Chromium

pytestmark = pytest.mark.slow


def test_paper_is_light_and_has_every_picture(browser: Chromium, page: Path) -> None:
    browser.open(page, dark=True)
    unseen = "document.querySelectorAll('#cards img:not([src])').length"
    ink = "getComputedStyle(document.querySelector('#plot-curve .xtick text')).fill"
    assert browser.run(unseen) > 0
    dark = browser.run(ink)
    browser.run(
        "addEventListener('beforeprint', () => { window.printed ="
        " [document.documentElement.dataset.theme, getComputedStyle(document.querySelector("
        "'#plot-curve .xtick text')).fill]; })"
    )
    printed = browser.command("Page.printToPDF", printBackground=False)
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    theme, fill = browser.run("window.printed")
    assert theme == "light"
    assert fill != dark
    assert browser.run(unseen) == 0
    browser.settle()
    assert browser.run("document.documentElement.dataset.theme") == "dark"
    assert browser.run(ink) == dark
    assert not browser.complaints()


def test_dark_is_for_screens_alone(browser: Chromium, page: Path) -> None:
    browser.open(page, dark=True)
    color = "getComputedStyle(document.body).color"
    on_screen = browser.run(color)
    browser.command("Emulation.setEmulatedMedia", media="print")
    on_paper = browser.run(color)
    browser.command("Emulation.setEmulatedMedia", media="")
    assert on_paper != on_screen


def test_fields_and_figures_agree_when_one_comes_back(browser: Chromium, page: Path) -> None:
    browser.open(page)
    browser.choose("#system", "1")
    browser.click("input[value=missed]")
    browser.choose("#search", "Q000")
    browser.driver.get("about:blank")
    browser.driver.back()
    browser.wait("document.documentElement.classList.contains('drawn')")
    assert browser.run("Number(byId('system').value) === chosen.system")
    assert browser.run("rows.length === filteredRows().length")
    assert browser.run("Number(byId('threshold').value) === last() - chosen.at")


def test_a_browser_that_cannot_unpack_says_so(browser: Chromium, page: Path) -> None:
    lacking = browser.command(
        "Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream"
    )
    try:
        browser.driver.get(page.as_uri())
        browser.wait("!document.querySelector('#no-plots').hidden")
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", **lacking)
    assert len(browser.texts("#cards .card")) == 24
    assert browser.run("byId('plot-curve').closest('figure').hidden")
    browser.click("#cards .pair")
    assert not browser.run("document.querySelector('#zoom figure').hidden")
