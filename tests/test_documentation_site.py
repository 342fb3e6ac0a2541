"""The documentation as a site: built without a word, complete, and without a network."""

import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from docs.generate.parsers import as_yaml, described_type, one_line
from sscd.cli import COMMANDS
from sscd.configs import shipped_configs
from tests.conftest import REPOSITORY
from tests.report.page.chromium import PATIENCE, chromium


class _Page(HTMLParser):
    """What a page refers to, what it loads, and which places in it have a name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.names |= {values.get("id", ""), values.get("name", "")}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag in ("script", "img", "iframe", "link") and values.get("rel") != "canonical":
            self.loaded += [values[name] for name in ("src", "href") if name in values]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; the build may not print anything."""
    folder = tmp_path_factory.mktemp("site")
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    command = re.search(r"^docs:.*?\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert command is not None
    words = command[1].replace("\\\n", " ").replace("$(BIN)/python", sys.executable).split()
    built = subprocess.run(
        ["env", *words, "--site-dir", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    return folder


@pytest.mark.slow
def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 30
    for path, page in pages.items():
        if path.name == "404.html":  # served at any address, so its links are absolute
            continue
        for address in page.loaded:
            assert not urlparse(address).scheme, f"{path.name} loads {address}"
            assert (path.parent / unquote(urlparse(address).path)).exists(), address
        for address in page.links:
            parts = urlparse(address)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.name}: {address}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].names, f"{path.name}: {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?https?:", sheet.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_references_hold_every_key_command_and_configuration(site: Path) -> None:
    keys = _Page((site / "configuration.html").read_text(encoding="utf-8")).names
    expected = {"run_dir", "data.batch_size", "model.objective.entropy_weight", "guard.patience"}
    assert expected <= keys
    assert {"trainer.max_epochs", "trainer.precision", "data.mixup.probability"} <= keys
    assert {re.sub("/", "", name) for name in shipped_configs()} <= keys
    commands = _Page((site / "commands.html").read_text(encoding="utf-8")).names
    assert {f"sscd-{name}" for name in COMMANDS} <= commands
    assert {"match-precision", "evaluate-ground_truth", "export-score_norm"} <= commands
    api = _Page((site / "api" / "index.html").read_text(encoding="utf-8")).names
    assert {"sscd.api.Descriptor.load", "sscd.api.Descriptor.is_copy"} <= api


_SEARCH = """
((words) => {
  const box = document.querySelector(".md-search__input");
  box.focus();
  box.value = words;
  box.dispatchEvent(new KeyboardEvent("keyup", { key: "g" }));
  return [...document.querySelectorAll(".md-search-result__link")].map((link) => link.href);
})(arguments[0])
"""


@pytest.mark.slow
def test_the_site_is_searched_from_a_disk(site: Path) -> None:
    with chromium() as browser:
        for width in (390, 1280):
            browser.resize(width, 900)
            browser.driver.get((site / "index.html").as_uri())
            browser.click("#__search")
            end = time.monotonic() + PATIENCE
            while not (found := browser.run(_SEARCH.strip(), "gradient caching")):
                assert time.monotonic() < end, browser.complaints()
                time.sleep(0.1)
            assert any("one_gpu.html" in address for address in found)
            assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.complaints() == []


def test_types_and_defaults_are_in_words() -> None:
    assert described_type(int | None) == "int or null"
    assert described_type(tuple[float, float]) == "[float, float]"
    assert described_type(Path | None) == "path or null"
    assert [as_yaml(value) for value in (None, True, 0.3, (0.08, 1.0), Path("a/b"))] == [
        *("null", "true", "0.3", "[0.08, 1]", "a/b")
    ]
    sphinx = "Whether to use :func:`torch.no_grad`.\nDefault: ``True``."
    assert one_line(sphinx) == "Whether to use `torch.no_grad`."
