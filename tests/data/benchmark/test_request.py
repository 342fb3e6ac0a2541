"""What can be asked of a benchmark."""

from dataclasses import replace

import pytest

from sscd.errors import UserError
from tests.data.benchmark.requests import SMALL


def test_distractors_are_needed_in_both_phases() -> None:
    assert SMALL.parts == {"references": 8, "distractors": 4, "extras": 2, "training": 5}
    SMALL.check()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"references": 5}, "so 6 are needed"),
        ({"queries": 0}, "--queries 0"),
        ({"training": -1}, "--training -1"),
        ({"extras": -1}, "--extras -1"),
        ({"by_hand": 0.9}, "--by_hand 0.9"),
        ({"by_hand": float("nan")}, "--by_hand nan"),
        ({"air_gap": -0.1}, "--air_gap -0.1"),
        ({"max_side": 15}, "--max_side 15"),
        ({"near_duplicate_distance": -1}, "--near_duplicate_distance -1"),
    ],
)
def test_what_is_out_of_range_is_named(changes: dict[str, float], expected: str) -> None:
    with pytest.raises(UserError, match=expected) as caught:
        replace(SMALL, **changes).check()  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("training", "extras", "there", "expected"),
    [
        (5, 2, 100, (5, 2)),
        (5, None, 20, (5, 3)),  # 20 - 8 references - 4 distractors - 5
        (5, None, 900, (5, 200)),
        (5, None, 17, (5, 1)),  # too few: whoever asks for the arithmetic is told
        (None, 2, 20, (6, 2)),
        (None, None, 32, (16, 4)),
        (None, None, 2012, (1800, 200)),
        (None, None, 3, (0, 1)),
    ],
)
def test_what_is_left_open_is_filled(
    training: int | None, extras: int | None, there: int, expected: tuple[int, int]
) -> None:
    settled = replace(SMALL, training=training, extras=extras).settled(there)
    assert (settled.training, settled.extras) == expected
    assert settled.references == SMALL.references
