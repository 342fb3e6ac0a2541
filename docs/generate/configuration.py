"""Write the reference of configurations: every key of `sscd train`, and every shipped file."""

from dataclasses import replace
from pathlib import Path

import mkdocs_gen_files
from jsonargparse import ArgumentParser

from docs.generate.pages import written
from docs.generate.parsers import Option, listed, options
from sscd.configs import shipped_configs, shipped_edits
from sscd.training.cli import TrainCLI

SECTIONS = {
    "": ("The run", "What belongs to the run as a whole."),
    "data": ("data", "Which pictures there are, and what the network sees of them."),
    "model": ("model", "The network, what it learns by, and where it starts."),
    "guard": (
        "guard",
        "When a run counts as collapsed or exploding ([more](interruptions.md#guards)).",
    ),
    "wandb": ("wandb", "Weights & Biases ([more](wandb.md))."),
    "trainer": (
        "trainer",
        "The keys of Lightning's trainer, described in its own words. Launchers set devices and "
        "nodes ([more](scaling.md)); the run directory is `--run_dir`.",
    ),
}

# Where Lightning's own words say what it does in other programs.
INSTEAD = {
    "seed_everything": "Of weights, order and views; a whole number from 0 on.",
    "ckpt_path": "Go on from a `.ckpt` file, from the `last` checkpoint of the run, or with `auto` "
    "from the last one where there is one ([more](interruptions.md)).",
    "weights_only": "Of no effect: checkpoints are always read without running what they hold.",
}


class _FoundError(Exception):
    def __init__(self, parser: ArgumentParser) -> None:
        super().__init__("the parser of a training")
        self.parser = parser


class _Unparsed(TrainCLI):
    def parse_arguments(self, parser: object, args: object) -> None:  # noqa: ARG002
        raise _FoundError(self._parser("fit"))


def training_options() -> list[Option]:
    """Every key of `sscd train`, as its parser knows it."""
    try:
        _Unparsed([], default_run=Path("runs"))
    except _FoundError as found:
        known = options(found.parser)
        return [replace(o, meaning=INSTEAD.get(o.key, o.meaning)) for o in known]
    raise RuntimeError("the training did not ask for its arguments")


def _sections(found: list[Option]) -> list[str]:
    lines: list[str] = []
    known = set(SECTIONS)
    if strange := {o.key.partition(".")[0] for o in found if "." in o.key} - known:
        raise RuntimeError(f"sections {strange} have no heading; add them to SECTIONS")
    for section, (title, about) in SECTIONS.items():
        rows = [o for o in found if _section(o.key) == section]
        if rows:
            lines += ["", f"## {title}", "", about, "", *listed(rows)]
    return lines


def _section(key: str) -> str:
    return key.partition(".")[0] if "." in key else ""


def _shipped() -> list[str]:
    lines = ["", "## The files", "", "Each configuration that comes with `sscd`, as it is."]
    for name, path in shipped_configs().items():
        lines += ["", f"### {name}", "", "```yaml", path.read_text(encoding="utf-8").strip(), "```"]
    tables = ", ".join(f"`{name}`" for name in shipped_edits())
    lines += [
        "",
        f"Tables of edits, which are no configurations: {tables} ([more](edits.md#tables)).",
    ]
    return lines


with mkdocs_gen_files.open("configuration.md", "w") as page:
    page.write(
        "\n".join([written("configuration.md"), *_sections(training_options()), *_shipped()])
    )
