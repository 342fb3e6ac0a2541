"""The settings of a training: written, resolved by its own parser, compared with a run's."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.recipes.row import Row, flattened
from sscd.errors import UserError
from sscd.files import atomic_path

# What says where a training runs and what it writes, not what it learns.
_PLACES = (
    *("run_dir", "ckpt_path", "weights_only", "save_every", "logger", "wandb.", "guard."),
    *("data.root", "data.shards", "data.cache", "data.workers", "data.chunk", "data.folder."),
    *("data.procedural.", "trainer.accelerator", "trainer.devices", "trainer.enable_"),
    *("trainer.log_every_n_steps", "trainer.default_root_dir", "compare", "export"),
)


def write_settings(path: Path, row: Row) -> None:
    """Write a row's `train` as `sscd train --config` takes it.

    Raises:
        UserError: The file cannot be written.
    """
    import yaml

    text = yaml.safe_dump(dict(row.train), sort_keys=False, allow_unicode=True)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def resolved_settings(command: Sequence[str], row: Row) -> dict[str, Any]:
    """All settings of a training, as its own parser has them.

    Args:
        command: That trains.
        row: For the message.

    Raises:
        UserError: The parser refuses them.
    """
    import yaml

    asked = [*command, "--print_config"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise UserError(f"row {row.name}: {error_in(ended.stderr)}")
    config: dict[str, Any] = yaml.safe_load(ended.stdout)
    return config


def check_same(run: Path, config: Mapping[str, Any], row: Row) -> None:
    """Check that a run was trained as the row says.

    A setting that the run's configuration lacks is younger than the run, which had its default.

    Args:
        run: With a `config.yaml`.
        config: Of `resolved_settings`.
        row: For what it sets itself.

    Raises:
        UserError: A setting differs; the message names the first.
    """
    import yaml

    before = flattened(yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8")))
    asked, own = flattened(config), flattened(row.train)
    for key in sorted(asked.keys() | before.keys()):
        if key.startswith(_PLACES) or (key not in before and key not in own):
            continue
        if before.get(key) != asked.get(key):
            raise UserError(
                f"{run} was trained with {key} {before.get(key)}, and row {row.name} has "
                f"{asked.get(key)}; add --again to train anew, or name the row otherwise"
            )


def error_in(said: str) -> str:
    """The line that says why a command has ended.

    >>> error_in("sscd: error: no such key")
    'no such key'
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("sscd: error: ")]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("sscd: error: ")
