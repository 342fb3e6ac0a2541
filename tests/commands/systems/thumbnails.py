"""A system without a network on a drawn data set, and attacks that were never made."""

import json
import shutil
from pathlib import Path

from sscd.attacks.record import AttackedPicture
from sscd.baselines.simple import describe_simply, thumbnail_descriptor
from sscd.baselines.vector_system import VectorSystem
from sscd.commands.systems.data import TableData
from sscd.commands.systems.plan import SystemPlan
from sscd.data.descriptors import Descriptors
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.data.stopwatch import Stopwatch
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from tests.commands.small import draw_disc

MARK = "0123456789abcdef"


def thumbnails(watch: Stopwatch | None = None, *, skipped: SkipLog | None = None) -> VectorSystem:
    """Grey thumbnails as a system."""

    def describe(images: Pictures) -> Descriptors:
        return describe_simply(images, thumbnail_descriptor, workers=0, skipped=skipped)

    return VectorSystem(
        "thumbnail",
        describe,
        dims=256,
        norm=Neighbourhood(0.5, 9, 9),
        hardware="here",
        watch=watch,
    )


def plan(name: str = "thumbnail", *, fingerprint: str = "", side: int = 16) -> SystemPlan:
    """The system as a row."""
    return SystemPlan(
        name,
        {"side": side},
        lambda skipped: thumbnails(skipped=skipped),
        "of tests",
        fingerprint,
    )


def open_disc(root: Path) -> TableData:
    """A data set of 4 copies, 4 distractors, 12 references and 24 training pictures."""
    return TableData.open(draw_disc(root / "disc"), training=None)


def write_attack(
    root: Path, data: TableData, ids: list[str], *, psnr: float, model: str = MARK
) -> Path:
    """A finished attack that changed nothing, as its directory says it."""
    root.mkdir(parents=True)
    lines = []
    for number, name in enumerate(ids):
        shutil.copy(data.queries.path(data.queries.ids.index(name)), root / f"{name}.jpg")
        file = f"{name}.jpg"
        record = AttackedPicture(name, name, file, "0" * 16, psnr, psnr + number, 0.9, 0.5)
        lines.append(record.line() + "\n")
    (root / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
    content = {
        "format": 1,
        "finished": True,
        "name": "network",
        "backbone": "resnet18",
        "request": {"model": model, "preprocessing": "32 square", "psnr": psnr, "steps": 1},
        "summary": {"pictures": len(ids), "psnr": {"mean": psnr}},
    }
    (root / "attack.json").write_text(json.dumps(content), encoding="utf-8")
    return root
