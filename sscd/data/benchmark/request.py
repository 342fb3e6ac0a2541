"""What is asked of a benchmark: how many pictures of each kind, and how they are edited."""

from dataclasses import dataclass, replace
from typing import Self

from sscd.errors import UserError
from sscd.extras import require

MOST_EXTRAS = 200
_LARGEST_DISTANCE = 11


@dataclass(frozen=True)
class BenchmarkRequest:
    """What is asked for; equal requests on equal pictures give equal benchmarks, byte for byte.

    Attributes:
        references: Pictures that are searched.
        queries: Edited copies of references, in each phase.
        distractors: Edited pictures that are no references, in each phase.
        training: Pictures to learn from; None for all that are left.
        extras: Pictures that are laid under and beside others when they are edited; None for a
            fifth of what is left, `MOST_EXTRAS` at most.
        seed: Of the choice of pictures and of the edits.
        dev_edits: Table of the development phase, by name or file.
        test_edits: Table of the test phase.
        by_hand: Share of the queries of each phase that is edited by the table `by_hand` instead
            (DISC21 paper, section 4.2).
        air_gap: Share of the test queries that is displayed and photographed again, by the table
            `air_gap` alone: appendix A.2 describes it as an edit of its own, done by the editors.
        leave_out: Operations that are switched off in every table.
        max_side: Longest side of a written picture, in pixels.
        near_duplicate_distance: Bits of 64 that near-copies differ in at most.
    """

    references: int
    queries: int
    distractors: int
    training: int | None
    extras: int | None
    seed: int
    dev_edits: str
    test_edits: str
    by_hand: float
    air_gap: float
    leave_out: tuple[str, ...]
    max_side: int
    near_duplicate_distance: int

    @property
    def parts(self) -> dict[str, int]:
        """The parts of the folder, in the order in which they are filled, and their sizes.

        What was left open counts nothing; `settled` fills it.
        """
        return {
            "references": self.references,
            "distractors": 2 * self.distractors,
            "extras": self.extras or 0,
            "training": self.training or 0,
        }

    def settled(self, there: int) -> Self:
        """The request with what was left open filled from this many pictures."""
        left = max(there - sum(self.parts.values()), 0)
        extras, training = self.extras, self.training
        if extras is None:  # one at least, for the edits that need another picture
            share = left // 5 if training is None else left
            extras = max(1, min(share, MOST_EXTRAS))
            left = max(left - extras, 0)
        if training is None:
            training = left
        return replace(self, extras=extras, training=training)

    def check(self) -> None:
        """Check what can be known without looking at a picture.

        Raises:
            UserError: A count, share or size is out of range, or a library that edits is missing.
        """
        require("augly", "cv2", "pilgram")
        if self.queries < 1:
            raise UserError(f"--queries {self.queries}: give at least 1 copy in each phase")
        for name in ("distractors", "training", "extras"):
            if (getattr(self, name) or 0) < 0:
                raise UserError(f"--{name} {getattr(self, name)}: give 0 or more")
        if self.references < 2 * self.queries:
            raise UserError(
                f"--references {self.references} --queries {self.queries}: each reference is "
                f"copied once at most over both phases, so {2 * self.queries} are needed; raise "
                "--references or lower --queries"
            )
        if not (self.by_hand >= 0 and self.air_gap >= 0 and self.by_hand + self.air_gap <= 1):
            raise UserError(
                f"--by_hand {self.by_hand} --air_gap {self.air_gap}: give shares from 0 on that "
                "add up to 1 at most"
            )
        if self.max_side < 16:
            raise UserError(f"--max_side {self.max_side} is too small; give at least 16 pixels")
        if not 0 <= self.near_duplicate_distance <= _LARGEST_DISTANCE:
            raise UserError(
                f"--near_duplicate_distance {self.near_duplicate_distance}: give 0 to "
                f"{_LARGEST_DISTANCE} bits"
            )
