"""The page as HTML: Jinja2 with autoescape around one style sheet and the scripts."""

import base64
import datetime
import functools
import gzip
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sscd import __version__
from sscd.evaluation.thresholds import ENOUGH_WRONG
from sscd.report.contents import Contents

_HERE = Path(__file__).parent
STYLES = ("base.css", "figures.css", "threshold.css", "cards.css", "zoom.css", "print.css")
SCRIPTS = (
    *("core.js", "theme.js", "threshold.js", "cards.js", "gallery.js", "zoom.js"),
    *("traces.js", "plots.js"),
)
"""In the order in which they stand in the page."""


@dataclass(frozen=True)
class PackedScript:
    """A script that the page unpacks when it is open.

    Attributes:
        packed: Base64 of its gzip.
        digest: What a content security policy names it by.
    """

    packed: str
    digest: str


@functools.cache
def packed_plotly() -> PackedScript:
    """Plotly's own script, a third of its size."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    packed = gzip.compress(script.encode(), compresslevel=9, mtime=0)
    return PackedScript(base64.b64encode(packed).decode(), _digest(script))


def render(contents: Contents, *, data: str, pictures: str, plotly: PackedScript) -> bytes:
    """Fill the page.

    Args:
        contents: What stands in it without a script.
        data: JSON for the scripts, escaped.
        pictures: JSON of the pictures.
        plotly: Plotly's script.

    Returns:
        HTML as UTF-8.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": _figure, "count": _count, "signed": _signed, "score": _score}
    environment.filters["sentence"] = _sentence
    script = _joined(SCRIPTS)
    text = environment.get_template("page.html.j2").render(
        contents=contents,
        first=contents.systems[0],
        several=len(contents.systems) > 1,
        names=[shown.report.system for shown in contents.systems],
        data_names=_distinct(shown.report.data for shown in contents.systems),
        protocols=_distinct(shown.report.figures.protocol for shown in contents.systems),
        enough_wrong=ENOUGH_WRONG,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        version=__version__,
        style=_joined(STYLES),
        script=script,
        script_digest=_digest(script),
        plotly=plotly,
        data=data,
        pictures=pictures,
    )
    # A lone half of a surrogate pair, in an id of elsewhere, has no UTF-8.
    return text.encode("utf-8", errors="xmlcharrefreplace")


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _joined(names: tuple[str, ...]) -> str:
    return "".join((_HERE / "static" / name).read_text(encoding="utf-8") for name in names)


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _figure(value: float) -> str:
    return f"{value:.4f}"


def _count(value: int) -> str:
    return f"{value:,}"


def _signed(value: float) -> str:
    return f"{value:+z.4f}".replace("-", "−")


def _score(value: float) -> str:
    return f"{value:z.4f}".replace("-", "−") if math.isfinite(value) else "none"
