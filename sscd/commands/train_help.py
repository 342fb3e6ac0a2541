"""`sscd train --help`: a page that is there at once; `--help all` is every key, from the code."""

from collections.abc import Sequence

from sscd.arguments.shared import SHARED
from sscd.configs import shipped_configs

RUN_OPTIONS = {
    "config": "A YAML file, or the name of one that comes with sscd; several are merged.",
    "ckpt_path": "Go on: `last`, or a checkpoint.",
    "run_dir": "Where checkpoints, metrics and the configuration go; numbered if it is taken.",
    "save_every": "Steps between saves of last.ckpt within an epoch; by default none.",
    "logger": "csv, or wandb for Weights & Biases too.",
    "compare": "At the end, judge the untrained network and simple descriptors too.",
    "export": "At the end, write the track-2 descriptors of the validation set.",
    "seed_everything": "Of pictures' splits, views and weights; by default 0.",
    "print_config": "Print the resolved configuration, and do nothing.",
}
"""Option → help; those of the run as a whole."""

SECTIONS = {
    "data": "pictures and views: --data.root DIR, --data.batch_size, --data.workers, …",
    "model": "network and loss: --model.weights FILE, --model.objective.entropy_weight, …",
    "trainer": "Lightning's trainer: --trainer.max_epochs, --trainer.devices, …",
    "guard": "what counts as a collapse, and what happens then: --guard.on_collapse, …",
    "wandb": "Weights & Biases: its project, names, and what is uploaded",
}
"""Section → what it sets."""

USAGE = "sscd train [--config NAME …] [--KEY VALUE …]"


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for the short page."""
    return not _asks_for_all(arguments) and bool({"-h", "--help"} & set(arguments))


def settle_help(arguments: Sequence[str]) -> list[str]:
    """The command line as the parser knows it: `--help all` is its `--help`."""
    return ["--help"] if _asks_for_all(arguments) else list(arguments)


def short_help() -> str:
    """The short page."""
    return "\n".join(
        [
            f"usage: {USAGE}",
            "",
            "Train a descriptor, validate it, and say what to do next. Without --config it is the",
            "quickstart. Every key of a configuration is an option.",
            "",
            "the run:",
            *_rows({f"--{name}": text for name, text in (RUN_OPTIONS | SHARED).items()}),
            "",
            "sections, each with keys of its own:",
            *_rows({f"--{name}.…": text for name, text in SECTIONS.items()}),
            "",
            "configurations that come with sscd:",
            *_wrapped(list(shipped_configs())),
            "",
            "`sscd train --help all` lists every key with its type and default, and",
            "`sscd train --config NAME --print_config` the values of a configuration.",
        ]
    )


def _asks_for_all(arguments: Sequence[str]) -> bool:
    return list(arguments) in (["--help=all"], ["--help", "all"], ["-h", "all"])


def _rows(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"  {name:<{width}}  {text}" for name, text in rows.items()]


def _wrapped(names: Sequence[str]) -> list[str]:
    from textwrap import wrap

    return [f"  {line}" for line in wrap(", ".join(names), 90)]
