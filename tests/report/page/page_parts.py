"""What a page holds, read as a browser's parser reads it."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class _Parts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.text: list[str] = []
        self._within: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._within = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._within = None

    def handle_data(self, data: str) -> None:
        if self._within is None:
            self.text.append(" ".join(data.split()) if data.strip() else "")
        else:
            self.scripts[self._within] = self.scripts.get(self._within, "") + data


def _parts(path: Path) -> _Parts:
    parts = _Parts()
    parts.feed(path.read_text(encoding="utf-8"))
    return parts


def systems_of(path: Path) -> list[dict[str, Any]]:
    """What the scripts know of each system."""
    systems: list[dict[str, Any]] = json.loads(_parts(path).scripts["data"])["systems"]
    return systems


def pictures_of(path: Path) -> list[str | None]:
    """Base64 of each picture."""
    pictures: list[str | None] = json.loads(_parts(path).scripts["thumbnails"])
    return pictures


def text_of(path: Path) -> str:
    """All that can be read without a script, blanks between elements left out."""
    return "".join(_parts(path).text)
