"""A row of the table that is not made yet."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sscd.baselines.system import System
from sscd.data.skipped import SkipLog

RowName = Literal["gist", "hashes", "multigrain", "how", "checkpoints"]


@dataclass(frozen=True)
class SystemPlan:
    """One row.

    Attributes:
        name: What the system is called.
        settings: All that its result depends on besides the data, in plain values.
        build: Makes the system, which may take memory and must not outlast the row; it notes in
            the log what it cannot read.
        note: How it was made, for people.
        fingerprint: Of its network; empty where it has none.
    """

    name: str
    settings: Mapping[str, Any]
    build: Callable[[SkipLog], System] = field(repr=False)
    note: str = ""
    fingerprint: str = ""

    @property
    def file_name(self) -> str:
        """The name as a file's, without an end."""
        return re.sub(r"[^a-z0-9.]+", "-", self.name.lower()).strip("-.") or "system"
