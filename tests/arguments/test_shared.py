"""`--quiet` and `--json` stand anywhere on a line, and are taken from it."""

import pytest

from sscd.arguments.shared import split_shared
from sscd.errors import UserError
from sscd.terminal import OutputMode


@pytest.mark.parametrize(
    ("line", "quiet", "json", "rest"),
    [
        ("check x", False, False, "check x"),
        ("--quiet check x", True, False, "check x"),
        ("check --json x --quiet", True, True, "check x"),
        ("check --json true x", False, True, "check x"),
        ("check --json=False x", False, False, "check x"),
        ("check --quiet --json=true", True, True, "check"),
        ("check --jsonl x --quietly", False, False, "check --jsonl x --quietly"),
        ("check -- --json", False, False, "check -- --json"),
        ("", False, False, ""),
    ],
)
def test_what_is_taken(line: str, quiet: bool, json: bool, rest: str) -> None:
    assert split_shared(line.split()) == (OutputMode(quiet=quiet, json=json), rest.split())


def test_other_values_are_refused() -> None:
    with pytest.raises(UserError, match="--json is a switch; give it alone, or true or false"):
        split_shared(["evaluate", "--json=figures.json"])
