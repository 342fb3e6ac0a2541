"""The page that a training leaves: the trained network beside what it was compared with."""

from collections.abc import Mapping
from pathlib import Path

from sscd import __version__
from sscd.data.records import Collection
from sscd.errors import UserError
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import Evaluation
from sscd.extras import missing_extra
from sscd.report.contents import Contents
from sscd.report.page.build import write_contents
from sscd.terminal import warn
from sscd.training.run.judgement import edits_of

REPORT_FILE = "report.html"


def judged_systems(
    systems: Mapping[str, Evaluation],
    collection: Collection,
    *,
    data: str,
    facts: Mapping[str, str],
) -> list[Judged]:
    """Systems as reports take them.

    Args:
        systems: Name → evaluation, the trained network first.
        collection: What they were judged on.
        data: What that is called.
        facts: What else identifies the trained network.
    """
    edits = edits_of(collection)
    return [
        Judged(
            system=name,
            data=data,
            evaluation=evaluation,
            truth=collection.truth,
            edits=edits,
            query_pictures=str(collection.queries.root.absolute()),
            reference_pictures=str(collection.references.root.absolute()),
            facts={**({} if place else facts), "sscd": __version__},
        )
        for place, (name, evaluation) in enumerate(systems.items())
    ]


def write_run_report(path: Path, contents: Contents) -> None:
    """Write the page; what stands in its way is said, and the training is done all the same.

    Args:
        path: The HTML file.
        contents: The systems.
    """
    try:
        for line in write_contents(path, contents).warnings:
            warn(line)
    except UserError as error:
        warn(f"no report: {error}")
    except ModuleNotFoundError as error:
        if (how := missing_extra(error.name or "")) is None:
            raise
        warn(f"no report: {how}")
