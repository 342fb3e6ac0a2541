"""Rows that outlast a call: figures in `rows/NAME.json`, candidates in `NAME.h5`.

A row is taken from there where all that it depends on is the same; otherwise it is made anew.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sscd import __version__
from sscd.commands.systems.data import TableData
from sscd.commands.systems.measuring import MeasuredSystem
from sscd.commands.systems.plan import SystemPlan
from sscd.data.descriptors import Origin
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import Evaluation
from sscd.files import atomic_path
from sscd.formats.evaluation_file import write_evaluations
from sscd.report.systems.rows import Measured, SystemRow


@dataclass(frozen=True)
class KeptRow:
    """What is there of a row.

    Attributes:
        row: The row, as an earlier call measured it.
        attacked: Key of an attacked set → micro-AP on it.
        unreadable: Path → reason of the pictures that could not be read.
    """

    row: SystemRow
    attacked: Mapping[str, float]
    unreadable: Mapping[str, str]


@dataclass(frozen=True)
class RowFile:
    """Where a row is kept.

    Attributes:
        root: The output directory of the table.
        plan: The system.
        identity: All that the row depends on.
        name: Of its files, unlike that of other rows.
    """

    root: Path
    plan: SystemPlan
    identity: Mapping[str, Any]
    name: str

    @classmethod
    def of(
        cls, root: Path, plan: SystemPlan, data: TableData, *, samples: int, name: str
    ) -> "RowFile":
        """The place of a row.

        Args:
            root: The output directory of the table.
            plan: The system.
            data: What it is measured on.
            samples: Resamples of its intervals.
            name: Of its files.
        """
        settings = {
            "sscd": __version__,
            "system": plan.name,
            "data": data.digest,
            "samples": samples,
            **plan.settings,
        }
        return cls(root, plan, json.loads(json.dumps(settings)), name)

    @property
    def plain(self) -> Path:
        """The evaluation by the system's own scores."""
        return self.root / f"{self.name}.h5"

    @property
    def normalised(self) -> Path:
        """The evaluation by normalised scores."""
        return self.root / "normalised" / f"{self.name}.h5"

    def read(self) -> KeptRow | None:
        """The row of an earlier call; None where there is none of this very system and data."""
        try:
            values = json.loads(self._json.read_text(encoding="utf-8"))
            if values["identity"] != self.identity:
                return None
            told = values["row"]
            figures = {key: Measured(**told[key]) for key in ("plain", "normalised")}
            row = SystemRow(**{**told, **figures})
            attacked = {str(key): float(value) for key, value in values["attacked"].items()}
            unreadable = {str(path): str(why) for path, why in values["unreadable"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        if not (self.plain.is_file() and self.normalised.is_file()):
            return None
        return KeptRow(replace(row, note=self.plan.note, earlier=True), attacked, unreadable)

    def write(self, measured: MeasuredSystem, data: TableData) -> None:
        """Keep a row; the file that is looked for comes last.

        Raises:
            UserError: A file cannot be written.
        """
        self._json.unlink(missing_ok=True)
        self.normalised.parent.mkdir(parents=True, exist_ok=True)
        row = measured.row
        name = f"{row.system}, normalised"
        write_evaluations(self.plain, [_judged(row.system, measured.plain, row, data)])
        write_evaluations(self.normalised, [_judged(name, measured.normalised, row, data)])
        self.write_figures(KeptRow(row, measured.attacked, measured.unreadable))

    def write_figures(self, kept: KeptRow) -> None:
        """Keep the figures alone.

        Raises:
            UserError: The file cannot be written.
        """
        values = {
            "identity": self.identity,
            "row": {**asdict(kept.row), "earlier": False},
            "attacked": dict(kept.attacked),
            "unreadable": dict(kept.unreadable),
        }
        with atomic_path(self._json) as temporary:
            temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")

    @property
    def _json(self) -> Path:
        return self.root / "rows" / f"{self.name}.json"


def _judged(name: str, evaluation: Evaluation, row: SystemRow, data: TableData) -> Judged:
    facts = {
        "dimensions": "none" if row.dims is None else str(row.dims),
        "score normalisation": row.norm,
        "how it was made": row.note,
        "ms an image": "" if row.milliseconds is None else f"{row.milliseconds:.3g}",
        "hardware": row.hardware,
        "sscd": __version__,
    }
    return Judged(
        system=name,
        data=data.name,
        evaluation=evaluation,
        truth=data.collection.truth,
        edits=data.edits,
        origin=Origin(model=row.fingerprint),
        query_pictures=str(data.queries.root.absolute()),
        reference_pictures=str(data.collection.references.root.absolute()),
        facts={key: value for key, value in facts.items() if value},
    )
