"""A page of 2,000 pairs: under 15 MB, and open at once."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.report.page.build import BUDGET, write_page
from tests.report.page.chromium import Chromium
from tests.report.page.systems import judged

pytestmark = pytest.mark.slow

SIDE = 128


def draw_noise(root: Path, *, queries: int, references: int) -> Path:
    """The worst pictures for any compression."""
    rng = np.random.default_rng(0)
    for folder, letter, count in (("queries", "Q", queries), ("references", "R", references)):
        (root / folder).mkdir()
        for number in range(count):
            pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            path = root / folder / f"{letter}{number:04d}.jpg"
            Image.fromarray(pixels).save(path, quality=90)
    return root


def test_noise_of_2000_pairs_keeps_to_the_budget(browser: Chromium, tmp_path: Path) -> None:
    pictures = draw_noise(tmp_path, queries=2000, references=2000)
    systems = [
        judged(name, noise=noise, queries=2000, references=2000, pictures=pictures)
        for name, noise in (("first", 0.8), ("second", 1.6))
    ]
    path = tmp_path / "report.html"
    facts = write_page(path, systems, pairs=2000, samples=20)
    assert facts.size == path.stat().st_size <= BUDGET == 15_000_000
    assert facts.pictures > 2500
    assert facts.left_out == facts.missing_pictures == 0
    browser.open(path)
    assert browser.run("system().examples.length") == 2000
    assert len(browser.texts("#cards .card")) == 24
    resources = browser.run("performance.getEntriesByType('resource').map((one) => one.name)")
    assert [name for name in resources if not name.startswith(("data:", "blob:"))] == []
    browser.wait("document.querySelector('#cards img').naturalWidth > 0")
    while not browser.run("document.querySelector('#more').hidden"):
        browser.click("#more")
    assert len(browser.texts("#cards .card")) == 2000
    before = len(browser.texts("#cards .rejected"))
    browser.choose("#threshold", "0")
    assert len(browser.texts("#cards .rejected")) < before
    assert not browser.complaints()
