"""One browser for the tests of a file, and a page of two systems."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sscd.evaluation.judged import Judged
from sscd.report.page.build import write_page
from tests.report.page.chromium import Chromium, chromium
from tests.report.page.systems import draw_pictures, judged


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    pictures = draw_pictures(tmp_path_factory.mktemp("pictures"))
    first = judged("network", noise=0.8, pictures=pictures)
    return [first, judged("perceptual hash", noise=1.0, pictures=pictures)]


@pytest.fixture(scope="module")
def page(systems: list[Judged], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    assert not write_page(path, systems, samples=30).warnings
    return path


@pytest.fixture
def opened(browser: Chromium, page: Path) -> Chromium:
    browser.open(page)
    return browser
