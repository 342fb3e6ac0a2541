"""The configurations that come with the package, found by name."""

from pathlib import Path

from sscd.errors import UserError

# Beside the modules in an installed package, beside the package in a checkout.
_DIRECTORIES = (Path(__file__).parent / "configs", Path(__file__).parents[1] / "configs")


def shipped_configs() -> dict[str, Path]:
    """Name → file of every configuration that comes with the package."""
    for directory in _DIRECTORIES:
        if found := sorted(directory.glob("*.yaml")):
            return {path.stem: path for path in found}
    return {}


def find_config(name: str) -> Path:
    """The file that `--config name` means: a path, or the name of a shipped configuration.

    Raises:
        UserError: It is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_configs()
    key = path.stem if path.suffix in ("", ".yaml") else name
    if key in shipped and path.parent in (Path(), Path("configs")):
        return shipped[key]
    raise UserError(
        f"config {name} is neither a file nor one of those that come with sscd: "
        f"{', '.join(shipped)}"
    )
