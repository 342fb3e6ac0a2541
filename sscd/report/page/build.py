"""Judged systems to one HTML file."""

import os
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from sscd.evaluation.examples import PAIRS
from sscd.evaluation.judged import Judged
from sscd.files import atomic_path
from sscd.report.contents import Contents, make_contents
from sscd.report.page.markup import packed_plotly, render
from sscd.report.page.payload import page_data, pictures_json, script_json
from sscd.report.page.pictures import Sources, wanted_pictures
from sscd.report.page.thumbnails import make_thumbnails

BUDGET = 15_000_000
"""Bytes of a page, at most; what is left of it is for pictures."""

PICTURES = 9_000_000
"""Bytes of its pictures, at most: a page is to be small where it can."""

_LEAST = 1_000_000  # for the pictures of a page whose other data are as large as the budget
_WORKERS = 4


@dataclass(frozen=True)
class PageFacts:
    """What became of a page.

    Attributes:
        size: Bytes of the file.
        pictures: Pictures in it.
        missing_pictures: Pictures that it should show and that could not be had.
        missing_reason: Why the most of those are missing; empty where none is.
        left_out: Pictures that did not fit `BUDGET`.
    """

    size: int
    pictures: int
    missing_pictures: int
    missing_reason: str
    left_out: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell a person, one line each."""
        lines = []
        if self.missing_pictures:
            total = self.pictures + self.missing_pictures + self.left_out
            lines.append(
                f"{self.missing_pictures:,} of {total:,} pictures are not shown: "
                f"{self.missing_reason}"
            )
        if self.left_out:
            lines.append(
                f"{self.left_out:,} pictures are left out, for the page would be larger than "
                f"{BUDGET // 1_000_000} MB; show fewer pairs"
            )
        return tuple(lines)


def write_page(
    path: Path, systems: Sequence[Judged], *, pairs: int = PAIRS, samples: int = 1000
) -> PageFacts:
    """Write the page of one or more systems; the others are compared with the first.

    Pictures that cannot be had are drawn as empty tiles, and counted.

    Args:
        path: The HTML file; it appears when it is complete.
        systems: Their names unlike one another.
        pairs: Queries on the page, at most.
        samples: Resamples of the bootstrap intervals; 0 for none.

    Raises:
        UserError: The file cannot be written, or no copy has a record of its edits.
        ValueError: As `make_contents`.
    """
    return write_contents(path, make_contents(systems, pairs=pairs, samples=samples))


def write_contents(
    path: Path, contents: Contents, *, trusted: AbstractSet[str] | None = None
) -> PageFacts:
    """Write the page of what was counted already.

    Args:
        path: The HTML file; it appears when it is complete.
        contents: The systems.
        trusted: As `Sources` takes it.

    Raises:
        UserError: The file cannot be written.
    """
    wanted = wanted_pictures(contents)
    data, plotly = script_json(page_data(contents, wanted)), packed_plotly()
    rest = len(render(contents, data=data, pictures="", plotly=plotly))
    made = make_thumbnails(
        Sources(list(wanted), trusted=trusted),
        budget=max(min(BUDGET - rest, PICTURES), _LEAST),
        workers=min(_WORKERS, os.cpu_count() or 1),
    )
    page = render(contents, data=data, pictures=pictures_json(made.images), plotly=plotly)
    with atomic_path(path) as temporary:
        temporary.write_bytes(page)
    reasons = Counter(made.missing).most_common(1)
    return PageFacts(
        size=len(page),
        pictures=sum(image is not None for image in made.images),
        missing_pictures=len(made.missing),
        missing_reason=reasons[0][0] if reasons else "",
        left_out=made.left_out,
    )
