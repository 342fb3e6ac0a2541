"""A headless Chromium that shows pages from the disk, and remembers what it complained of."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

PATIENCE = 30.0
"""Seconds within which the page must have done what it was asked."""


class Chromium:
    """What tests ask of a page.

    Args:
        driver: Selenium's.
    """

    def __init__(self, driver: "WebDriver") -> None:
        self.driver = driver

    def open(self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a page as a screen of this size shows it, and wait for its curves."""
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self.driver.get("about:blank")
        self.complaints()
        self.driver.get(page.as_uri())
        self.wait("document.documentElement.classList.contains('drawn')")

    def resize(self, width: int, height: int) -> None:
        """Change the screen."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.command("Emulation.setDeviceMetricsOverride", **size, mobile=width < 600)

    def command(self, name: str, **parameters: Any) -> Any:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script: str, *arguments: object) -> Any:
        """Evaluate an expression in the page; `arguments` holds what is given."""
        return self.driver.execute_script(f"return {script}", *arguments)

    def wait(self, script: str) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + PATIENCE
        while not self.run(script):
            if time.monotonic() > end:
                raise AssertionError(f"{script} did not come true; {self.complaints()}")
            time.sleep(0.02)

    def settle(self) -> None:
        """Let what waits for the next two frames be done."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def text(self, selector: str) -> str:
        """The text of an element, whether or not it is in view."""
        return str(self.run("document.querySelector(arguments[0]).textContent", selector))

    def texts(self, selector: str) -> list[str]:
        """The texts of all such elements."""
        found = "[...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return list(self.run(found, selector))

    def click(self, selector: str) -> None:
        """Click an element, wherever it is."""
        self.run("document.querySelector(arguments[0]).click()", selector)
        self.settle()

    def press(self, *keys: str) -> None:
        """Press keys, at what has the focus."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()
        self.settle()

    def choose(self, selector: str, value: str) -> None:
        """Set a field as its user would."""
        self.run(
            "((field, value) => { field.value = value; for (const kind of ['input', 'change'])"
            " field.dispatchEvent(new Event(kind, { bubbles: true })); })"
            "(document.querySelector(arguments[0]), arguments[1])",
            selector,
            value,
        )
        self.settle()

    def complaints(self) -> list[str]:
        """What the console holds since the page was opened."""
        driver: Any = self.driver  # `get_log` has no types
        return [f"{entry['level']}: {entry['message']}" for entry in driver.get_log("browser")]


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Start one; skips the test where there is none."""
    selenium = pytest.importorskip("selenium", reason="selenium is not installed")
    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if None in programs:
        pytest.skip("chromium and chromedriver are not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    assert selenium
    options = webdriver.ChromeOptions()
    for argument in ("headless=new", "no-sandbox", "disable-background-networking"):
        options.add_argument(f"--{argument}")
    options.binary_location = str(programs[0])
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(programs[1])))
    try:
        yield Chromium(driver)
    finally:
        driver.quit()
