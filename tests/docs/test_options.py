"""Options and keys that the pages name in their prose exist."""

import re
from functools import cache
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from docs.generate.parsers import parser_behind
from sscd.cli import COMMANDS, main
from sscd.training.cli import TrainCLI
from tests.docs.blocks import PAGES, name_of

OPTION = re.compile(r"(?<![\w-])--([a-z][\w.-]*)")
KEY = re.compile(r"(?:data|guard|model|trainer|wandb)(?:\.[a-z_]+)+")
FILES = {"csv", "h5", "json", "jsonl", "jpg", "html", "md", "npz", "png", "py", "yaml"}
OF_OTHERS = {
    # torchrun, srun and sbatch
    *("nproc_per_node", "nnodes", "no-python", "rdzv_endpoint", "shutdown_timeout"),
    *("signals_to_handle", "ntasks", "ntasks-per-node", "gpus-per-node", "gpus-per-task"),
    *("signal", "requeue", "open-mode", "export"),
    # docker, pip, ruff, and the programs in docs and benchmarks
    *("gpus", "ipc", "shm-size", "ulimit", "constraint", "check", "index-url", "again"),
    *("floor", "k", "large", "modes", "compile", "rounds", "steps", "warm_up", "pictures", "root"),
    *("loss_rows", "peak_tflops", "devices", "backbone", "batch_size", "image_size", "micro_batch"),
}


class _Found(BaseException):
    def __init__(self, parser: ArgumentParser) -> None:
        self.parser = parser


class _Unparsed(TrainCLI):
    def parse_arguments(self, parser: object, args: object) -> None:
        raise _Found(self._parser("fit"))


def _parser_of(name: str) -> ArgumentParser:
    if name != "train":
        return parser_behind(lambda: main([name]))
    with pytest.raises(_Found) as found:
        _Unparsed([], default_run=Path("unused"))
    return found.value.parser


@cache
def options_of(name: str) -> frozenset[str]:
    """What a command takes by name, with underscores."""
    actions = _parser_of(name)._actions
    return frozenset(_written(one) for action in actions for one in action.option_strings)


def _written(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def prose(page: Path) -> list[str]:
    """The pieces of code between the words of a page."""
    blocks = re.compile(r"^[ >]*```.*?^[ >]*```", re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`]+)`", blocks.sub("", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_exist(page: Path) -> None:
    every = {option for name in COMMANDS for option in options_of(name)}
    others = {_written(option) for option in OF_OTHERS}
    for code in prose(page):
        command = re.match(r"(?:\S*/)?sscd ([a-z-]+)", code)
        allowed = options_of(command[1]) if command and command[1] in COMMANDS else every | others
        for option in OPTION.findall(code):
            assert _written(option.rstrip(".")) in allowed | {"help"}, code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_keys_exist(page: Path) -> None:
    keys = options_of("train")
    sections = {key.rpartition(".")[0] for key in keys}
    sections |= {section.rpartition(".")[0] for section in sections}
    for code in prose(page):
        if (key := KEY.match(code)) is not None and key[0].rpartition(".")[2] not in FILES:
            assert key[0] in keys | sections, code
