"""Every block says what it holds; what is not run says why, and its options exist all the same."""

import re
import tomllib
from pathlib import Path
from unittest import mock

import pytest
from jsonargparse import ArgumentParser

from sscd.cli import main
from tests.conftest import REPOSITORY
from tests.docs.blocks import PAGES, Block, blocks_of, name_of, parse_blocks
from tests.docs.invocations import Invocation, invocations_of

RUN = {"sh", "python"}
SHOWN = {"text", "yaml", "json", "csv", "toml", "html", "dockerfile"}
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
SHELL = [block for block in BLOCKS if block.language == "sh"]
INVOCATIONS = [one for block in SHELL for one in invocations_of(block)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_holds(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in RUN | SHOWN, f"{block.place}: {block.language or 'nothing'}"
        if block.language in SHOWN:
            assert block.exempt is None, f"{block.place} is never run: it needs no reason"
            commands = re.findall(r"^(?:\S*/)?sscd [a-z-]+ ", block.text, re.MULTILINE)
            assert not commands or block.language != "text", f"{block.place}: make it ```sh"


@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if one.exempt is not None], ids=lambda block: block.place
)
def test_what_is_not_run_says_why(block: Block) -> None:
    assert block.exempt
    assert len(block.exempt.split()) >= 2, f"{block.place}: {block.exempt!r} is no reason"


def test_most_blocks_are_run() -> None:
    exempt = [block.place for block in BLOCKS if block.exempt is not None]
    assert len(exempt) <= len([b for b in BLOCKS if b.language in RUN]) / 3, exempt


class ParsedError(Exception):
    """Raised in place of the work: the arguments were understood."""


def understood(name: str, *arguments: str) -> bool:
    """Whether the command takes these arguments; it does nothing with them."""
    train = "sscd.training.cli.TrainCLI.before_instantiate_classes"
    with (
        mock.patch(train, side_effect=ParsedError),
        mock.patch.object(ArgumentParser, "instantiate", side_effect=ParsedError),
    ):
        try:
            return main([name, *arguments]) == 0
        except ParsedError:
            return True
        except SystemExit as stop:  # --help
            return stop.code == 0


@pytest.mark.parametrize("invocation", INVOCATIONS, ids=lambda invocation: invocation.place)
def test_the_options_of_every_command_exist(
    invocation: Invocation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert understood(invocation.command, *invocation.arguments), capsys.readouterr().err


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.place)
def test_extras_exist(block: Block) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    for extras in re.findall(r"(?:sscd|\.)\[([\w,]+)\]", block.text):
        assert set(extras.split(",")) <= set(project["optional-dependencies"]), block.place


def page_of(text: str) -> list[Block]:
    return parse_blocks(REPOSITORY / "docs" / "page.md", text)


def test_blocks_are_found_with_their_lines_and_reasons() -> None:
    text = (
        "# A\n\n```sh\na \\\n  b\n```\n\n<!-- not run: needs a cluster -->\n\n  ```sh\n  c\n  ```\n"
    )
    first, second = page_of(text)
    assert (first.line, first.text, first.exempt) == (4, "a \\\n  b", None)
    assert (second.line, second.text, second.exempt) == (11, "c", "needs a cluster")


@pytest.mark.parametrize(
    "text",
    [
        "```sh\na\n",
        "<!-- not run: x -->\nwords\n\n```sh\na\n```\n",
        "<!-- not run: x -->\n",
    ],
)
def test_a_block_or_a_reason_alone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"docs/page\.md"):
        page_of(text)


def test_commands_are_found_wherever_they_stand() -> None:
    (block,) = page_of(
        "```sh\n"
        "mkdir x && .venv/bin/sscd match A B \\\n    --output 'a b.csv'  # a comment\n"
        "X=1 srun --ntasks 8 python train.py --config photos > log\n"
        "torchrun --no-python sscd describe A B | sort\n"
        "python -m sscd dedup P; echo sscd\n"
        "```\n"
    )
    assert invocations_of(block) == [
        Invocation("docs/page.md:2", "match", ("A", "B", "--output", "a b.csv")),
        Invocation("docs/page.md:4", "train", ("--config", "photos")),
        Invocation("docs/page.md:5", "describe", ("A", "B")),
        Invocation("docs/page.md:6", "dedup", ("P",)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "trian --config photos",
        "match A B --checkpoint c --treshold 1",
        "match A B --checkpoint c [--threshold 1]",
        "match A B --checkpoint c --threshold low",
        "evaluate a.h5",
        "train --config photo",
        "train --config photos --data.batchsize 3",
        "preview --tiles 3",
    ],
)
def test_a_misspelt_option_is_noticed(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not understood(*line.split())
    assert "sscd: error: " in capsys.readouterr().err
