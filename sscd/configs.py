"""The configurations that come with the package, found by name.

A recipe says what to train. An addition, in a folder of its own, changes a recipe for a machine:
`--config sscd_advanced --config small/one_gpu --config cluster/slurm`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sscd.errors import UserError, meant

# Beside the modules in an installed package, beside the package in a checkout.
_DIRECTORIES = (Path(__file__).parent / "configs", Path(__file__).parents[1] / "configs")


_ADDITIONS = ("small", "cluster")


def shipped_configs() -> dict[str, Path]:
    """Name → file of every configuration that comes with the package, `small/one_gpu` too."""
    found = _shipped(Path())
    for folder in _ADDITIONS:
        found |= {f"{folder}/{name}": path for name, path in _shipped(Path(folder)).items()}
    return found


def shipped_edits() -> dict[str, Path]:
    """Name → file of every table of edits that comes with the package."""
    return _shipped(Path("edits"))


def find_config(name: str) -> Path:
    """The file that `--config name` means: a path, or the name of a shipped configuration.

    Raises:
        UserError: It is neither.
    """
    return _find(name, shipped_configs(), kind="config", folder=Path("configs"))


def find_edits(name: str) -> Path:
    """The file that a table of edits' name means: a path, or the name of a shipped table.

    Raises:
        UserError: It is neither.
    """
    return _find(name, shipped_edits(), kind="table of edits", folder=Path("configs/edits"))


def _shipped(folder: Path) -> dict[str, Path]:
    for directory in _DIRECTORIES:
        if found := sorted((directory / folder).glob("*.yaml")):
            return {path.stem: path for path in found}
    return {}


def _find(name: str, shipped: dict[str, Path], *, kind: str, folder: Path) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    within = path.relative_to(folder) if path.is_relative_to(folder) else path
    key = str(within.with_suffix("") if within.suffix == ".yaml" else within)
    if key in shipped:
        return shipped[key]
    come = meant(key, shipped) or f": {', '.join(shipped)}"
    raise UserError(f"{kind} {name} is neither a file nor one of those that come with sscd{come}")


def recipe_of(named: Sequence[Path]) -> Path:
    """The last of some configurations that says what to train: the run is named after it.

    Raises:
        UserError: All of them are additions, which say on what machine alone.
    """
    additions = {path.resolve(): name for name, path in shipped_configs().items() if "/" in name}
    recipes = [path for path in named if path.resolve() not in additions]
    if not recipes:
        first = additions[named[0].resolve()]
        raise UserError(
            f"config {first} adds to a recipe; name one too: --config sscd_disc21 --config {first}"
        )
    return recipes[-1]


# Sections, and the sections within them. The parser takes a plain value in place of a section for
# "all defaults", in silence.
_SECTIONS: dict[str, tuple[str, ...]] = {
    "data": ("inference", "recipe", "mixup", "folder", "procedural"),
    "model": ("network", "objective", "optimizer", "memory"),
    "trainer": (),
    "guard": (),
    "wandb": (),
}
_VALUES = (
    *("seed_everything", "run_dir", "logger", "compare", "export"),
    *("ckpt_path", "weights_only", "save_every"),
)


def check_config(path: Path) -> None:
    """Check what the parser of arguments does not: that the file is YAML and has known sections.

    Raises:
        UserError: It is not; the message names the file and the line or key.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"config {path} is not text; give a YAML file") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise UserError(f"config {path}{line}: {problem}; mend the YAML") from error
    if not isinstance(content, dict):
        raise UserError(f"config {path} holds no settings; expected sections data, model, trainer")
    for key, value in content.items():
        if key not in _SECTIONS and key not in _VALUES:
            known, guess = ", ".join([*_SECTIONS, *_VALUES]), meant(key, [*_SECTIONS, *_VALUES])
            raise UserError(f"config {path}: unknown key '{key}'; expected one of {known}{guess}")
        if key in _SECTIONS:
            _check_section(path, key, value)


def _check_section(path: Path, key: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise UserError(f"config {path}: '{key}' got {value!r}; expected a section of settings")
    for inner in _SECTIONS[key]:
        if inner in value and not isinstance(value[inner], dict):
            got = f"'{key}.{inner}' got {value[inner]!r}"
            raise UserError(f"config {path}: {got}; expected a section of settings")
