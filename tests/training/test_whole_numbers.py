"""A count of batches stays a count, whatever types other libraries asked for first."""

from pathlib import Path
from typing import Any, Optional, Union

import pytest
from jsonargparse import ArgumentParser

from sscd.training.whole_numbers import keep_whole_numbers
from tests.test_configs import parse

# The order in which Python's own cache of types may hand them out.
FLOAT_FIRST = Union[float, int, None]  # noqa: UP007


def build_parser() -> Any:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--limit", type=FLOAT_FIRST, default=None)
    parser.add_argument("--share", type=float, default=None)
    parser.add_argument("--config", action="config")
    return parser


def test_the_order_matters() -> None:
    assert isinstance(build_parser().parse_args(["--limit", "1"]).limit, float)


@pytest.mark.parametrize(
    ("text", "expected"), [("1", 1), ("1.0", 1.0), ("0.5", 0.5), ("null", None), ("1e-1", 0.1)]
)
def test_numbers_keep_their_kind(text: str, expected: Any, tmp_path: Path) -> None:
    parser = build_parser()
    keep_whole_numbers(parser)
    (tmp_path / "c.yaml").write_text(f"limit: {text}\n")
    given = (["--limit", text], ["--config", str(tmp_path / "c.yaml")])
    for parsed in (parser.parse_args(arguments).limit for arguments in given):
        assert parsed == expected
        assert type(parsed) is type(expected)
    assert isinstance(parser.parse_args(["--share", "1"]).share, float)


def test_limits_of_a_training_are_batches() -> None:
    Optional[Union[float, int]]  # noqa: UP007, UP045
    counts = ("limit_train_batches", "overfit_batches", "val_check_interval")
    shares = ("limit_val_batches", "limit_test_batches")
    options = [f"--trainer.{key}=1" for key in counts] + [f"--trainer.{key}=1.0" for key in shares]
    trainer = parse(options)["trainer"]
    assert [type(trainer[key]) for key in counts] == [int] * 3
    assert [type(trainer[key]) for key in shares] == [float] * 2
