"""How command lines are read, whatever the command."""

from pathlib import Path
from typing import Literal

import pytest

from sscd.arguments.functions import parse_function
from sscd.errors import UserError


def command(
    files: list[Path],
    size: int,
    side_by_side: bool = False,
    more: list[Path] | None = None,
    mode: Literal["a", "b"] = "a",
    share: float | None = None,
    perhaps: bool | None = None,
) -> None:
    """Do something.

    Args:
        files: The files that it is done to,
            one or more.
        size: A number.
        side_by_side: A switch.
        more: Other files.
        mode: A choice.
        share: May be missing.
        perhaps: A switch that may be left open.
    """


def parse(*arguments: str) -> dict[str, object]:
    return parse_function(command, list(arguments), prog="sscd do", positional=["files"])


def test_lists_numbers_and_defaults() -> None:
    got = parse("a", "b", "--size", "3")
    assert got["files"] == [Path("a"), Path("b")]
    assert (got["size"], got["side_by_side"], got["more"], got["mode"]) == (3, False, None, "a")
    assert got["share"] is None


def test_dashes_are_underscores_and_switches_need_no_value() -> None:
    for switch in (["--side-by-side"], ["--side_by_side"], ["--side-by-side", "true"]):
        got = parse("a", "--size=3", *switch, "--more", "x-y", "z", "--share", "0.5")
        assert got["side_by_side"] is True
        assert got["more"] == [Path("x-y"), Path("z")]
        assert got["share"] == 0.5
    assert parse("a", "--size=3", "--side-by-side", "false")["side_by_side"] is False
    assert parse("a", "--size=3", "--side-by-side=false")["side_by_side"] is False


def test_a_switch_may_be_left_open() -> None:
    for switch, expected in (([], None), (["--perhaps"], True), (["--perhaps", "false"], False)):
        got = parse("a", "--size=3", *switch, "--share", "0.5")
        assert (got["perhaps"], got["share"]) == (expected, 0.5)


def test_a_value_with_dashes_stays_as_it_is() -> None:
    assert parse("side-by-side", "--size", "3")["files"] == [Path("side-by-side")]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("a",), "required: --size "),
        (("--size", "3"), "required: files "),
        (("a", "--size", "x"), "size"),
        (("a", "--size", "3", "--mode", "c"), "mode"),
        (("a", "--size", "3", "--siz", "4"), "siz"),
        (("a", "--size", "3", "--un-known"), "un-known"),
    ],
)
def test_errors_are_one_line_and_name_the_key(arguments: tuple[str, ...], named: str) -> None:
    with pytest.raises(UserError, match="`sscd do --help` lists the options") as caught:
        parse(*arguments)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_help_describes_arguments_by_place(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--help")
    printed = " ".join(capsys.readouterr().out.split())
    assert "The files that it is done to, one or more." in printed
    assert "Other files." in printed
    assert "(required, type: path)" in printed
    assert "(type: {a,b}, default: a)" in printed
    assert "(type: float | null, default: null)" in printed
