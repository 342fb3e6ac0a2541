"""What goes to which stream, by what was asked for."""

import json
from collections.abc import Callable

import pytest
from rich.table import Table

from sscd.terminal import OutputMode, Result, output_mode, print_result, remark, say, show, warn

PLAIN, QUIET, JSON = OutputMode(), OutputMode(quiet=True), OutputMode(json=True)
BOTH = OutputMode(quiet=True, json=True)


@pytest.mark.parametrize(
    ("printing", "mode", "stream"),
    [
        (say, PLAIN, "out"),
        (say, QUIET, "out"),
        (say, JSON, "err"),
        (say, BOTH, None),
        (remark, PLAIN, "out"),
        (remark, QUIET, None),
        (remark, JSON, "err"),
        (remark, BOTH, None),
        (show, QUIET, "out"),
        (show, JSON, "err"),
        (show, BOTH, None),
        *((warn, mode, "err") for mode in (PLAIN, QUIET, JSON, BOTH)),
    ],
)
def test_the_stream(
    printing: Callable[[str], None],
    mode: OutputMode,
    stream: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with output_mode(mode):
        printing("a [bold]file[/bold] :smile: of 1,000")
    printed = capsys.readouterr()
    got = {"out": printed.out, "err": printed.err}
    assert [name for name, text in got.items() if text] == [stream] * (stream is not None)
    if stream:
        assert "a [bold]file[/bold] :smile: of 1,000" in got[stream]


def test_the_mode_ends_with_its_block(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), output_mode(BOTH):
        raise ValueError("x")
    remark("here")
    assert capsys.readouterr().out == "here\n"


def table() -> Table:
    made = Table("name")
    made.add_row("R0")
    return made


RESULT = Result(
    {"n": 3, "worst": float("inf"), "list": [float("nan"), ("a",)]},
    ["three", table()],
    remarks=["next: four"],
)


def test_a_result_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(RESULT)
    out = capsys.readouterr().out
    assert out.startswith("three\n")
    assert "R0" in out
    assert out.endswith("next: four\n")
    with output_mode(QUIET):
        print_result(RESULT)
    assert capsys.readouterr().out == out.removesuffix("next: four\n")


def test_a_result_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    for mode in (JSON, BOTH):
        with output_mode(mode):
            print_result(RESULT)
        printed = capsys.readouterr()
        assert json.loads(printed.out) == {"n": 3, "worst": None, "list": [None, ["a"]]}
        assert printed.err == ""
