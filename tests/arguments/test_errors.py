"""The parser's pages as one line: the key, the value, what is expected, what was meant."""

from typing import Literal

import pytest
from jsonargparse import ArgumentParser

from sscd.arguments.errors import one_line_errors
from sscd.errors import UserError, meant


def error_of(*arguments: str) -> str:
    parser = ArgumentParser(prog="do", exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--section.size", type=int, default=1)
    parser.add_argument("--epochs", type=int | None, default=None)
    parser.add_argument("--scale", type=tuple[float, float], default=(0.0, 1.0))
    parser.add_argument("--logger", type=Literal["csv", "wandb"] | None, default="csv")
    with pytest.raises(UserError) as caught, one_line_errors("sscd do", parser):
        parser.parse_args(list(arguments))
    line = str(caught.value)
    advice = " (`sscd do --help` lists the options)"
    assert line.endswith(advice)
    assert "\n" not in line
    return line.removesuffix(advice)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--section.size big", "section.size got big; expected a whole number"),
        ("--section.size 1.5", "section.size got 1.5; expected a whole number"),
        ("--epochs soon", "epochs got soon; expected a whole number or null"),
        ("--scale [1]", "scale got [1]; expected a list of 2 elements"),
        (
            "--logger wanbd",
            "logger got wanbd; expected null or one of csv, wandb; did you mean wandb?",
        ),
        ("--logger", "--logger has no value; give one after it"),
        ("--section.siz 3", "--section.siz is no option; did you mean --section.size?"),
        ("--size 3", "--size is no option; did you mean --section.size?"),
        ("--size=3", "--size is no option; did you mean --section.size?"),
        ("--nothing.like it", "--nothing.like is no option"),
        ("extra", "unrecognized arguments: extra"),
    ],
)
def test_common_mistakes(arguments: str, expected: str) -> None:
    assert error_of(*arguments.split()) == expected


def test_hostile_values_stay_one_line() -> None:
    assert error_of("--epochs", "a\nb") == "epochs got a b; expected a whole number or null"


def test_what_was_meant() -> None:
    assert meant("trian", ["train", "check"]) == "; did you mean train?"
    assert meant("--seed", ["--a.seed", "--b.seed"]) == "; did you mean --a.seed or --b.seed?"
    assert meant("xyz", ["train"]) == ""
