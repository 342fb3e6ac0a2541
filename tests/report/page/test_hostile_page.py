"""Names and ids are those of strangers: a page shows them, and does nothing that they say."""

from pathlib import Path

import pytest
from PIL import Image

from sscd.evaluation.judged import Judged
from sscd.report.page.build import write_page
from tests.report.page.chromium import Chromium
from tests.report.page.page_parts import systems_of
from tests.report.page.systems import predicted

OWNED = "document.title='owned'"
NAMES = (
    f"<script>{OWNED}</script>",
    f'"><img src=x onerror="{OWNED}">',
    f"</script><script>{OWNED}</script>",
    f"'-{OWNED}-'",
    f"<!--<script>{OWNED}",
    f"javascript:{OWNED}",
    "${document.title='owned'}",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egpj.exe \u05d0\u05d1\u05d2",
    "line\nbreak\tand \u2028 more",
    "__proto__",
    "constructor",
    "&lt;b&gt; <b>bold</b> $x^2$ %{x}",
    "x" * 1000,
)


def hostile(system: str) -> Judged:
    pairs = [(name, NAMES[-1 - place], 1.0 - place / 20) for place, name in enumerate(NAMES)]
    right = [(name, NAMES[(place + 1) % len(NAMES)]) for place, name in enumerate(NAMES)]
    edits = {name: (NAMES[place - 1], NAMES[0]) for place, name in enumerate(NAMES)}
    judged = predicted(pairs, [*right, *((q, r) for q, r, _ in pairs[:5])], edits=edits)
    facts = dict(zip(NAMES, NAMES[::-1], strict=True))
    return Judged(
        system=system,
        data=NAMES[1],
        evaluation=judged.evaluation,
        truth=judged.truth,
        edits=edits,
        query_pictures=NAMES[2],
        facts=facts,
    )


def test_ids_come_through_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(path, [hostile(NAMES[0])], samples=0)
    (system,) = systems_of(path)
    assert {example["query"] for example in system["examples"]} == set(NAMES)
    assert system["system"] == NAMES[0]
    assert path.read_text().count("<script") == 4


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_that_names_say_is_done(browser: Chromium, tmp_path: Path, width: int) -> None:
    path = tmp_path / "report.html"
    systems = [hostile(name) for name in NAMES[:4]]
    write_page(path, systems, samples=20)
    browser.open(path, width=width)
    for number in range(len(systems)):
        browser.choose("#system", str(number))
    for edit in browser.run("[...byId('edit').options].map((one) => one.value)"):
        browser.choose("#edit", edit)
    browser.choose("#edit", "")
    for place in range(len(NAMES)):
        browser.run("cards.querySelectorAll('.pair')[arguments[0]].click()", place)
        browser.run("zoom.close()")
    assert browser.run("document.title") != "owned"
    assert not browser.run("document.querySelector('b b, h1 img, #cards b, #cards script')")
    shown = browser.texts("#cards .names bdi:first-child")
    assert set(shown) == set(NAMES)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert not browser.complaints()


@pytest.mark.slow
def test_what_is_slipped_in_despite_all_is_not_run(browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(path, [hostile("network")], samples=0)
    slipped = f'<script>{OWNED}</script><img src=x onerror="{OWNED}">'
    path.write_text(path.read_text().replace("<main", f"{slipped}<main"))
    browser.open(path)
    assert browser.run("document.title") != "owned"
    assert any("Content Security Policy" in line for line in browser.complaints())


def test_pictures_of_hostile_names_are_shown(tmp_path: Path) -> None:
    name = f"<img src=y onerror={OWNED}>"
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (8, 8), (200, 0, 0)).save(tmp_path / "pictures" / f"{name}.png")
    identity = name.replace(" ", "%20")
    judged = predicted([(identity, "r", 1.0)], [(identity, "r")])
    one = Judged(
        "a", "b", judged.evaluation, judged.truth, query_pictures=str(tmp_path / "pictures")
    )
    facts = write_page(tmp_path / "report.html", [one], samples=0)
    assert (facts.pictures, facts.missing_pictures) == (1, 1)
