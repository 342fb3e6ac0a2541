"""The settings of a training that its report names."""

from collections.abc import Mapping
from pathlib import Path

from sscd.terminal import warn

CONFIG = "config.yaml"
SETTINGS = (
    *("data.root", "data.shards", "data.layout", "data.recipe.name", "data.image_size"),
    *("data.batch_size", "model.network.backbone", "model.network.dims", "model.weights"),
    *("model.objective.temperature", "model.objective.entropy_weight"),
    *("model.optimizer.name", "model.optimizer.lr", "trainer.max_epochs", "trainer.max_steps"),
    "seed_everything",
)
_UNSET = (None, "", -1)  # Lightning's -1: no limit


def training_settings(run: Path) -> dict[str, str]:
    """The most telling settings in a run directory's configuration, as it names them.

    What is not set is left out. A configuration that cannot be read is warned of.

    Args:
        run: A run directory; anything else has none.
    """
    path = run / CONFIG
    if not path.is_file():
        return {}
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        warn(f"{path} is not readable YAML; the report names no settings of the training")
        return {}
    values = {key: _value(content, key) for key in SETTINGS}
    return {key: str(value) for key, value in values.items() if value not in _UNSET}


def _value(content: object, key: str) -> object:
    for part in key.split("."):
        content = content.get(part) if isinstance(content, Mapping) else None
    return content
