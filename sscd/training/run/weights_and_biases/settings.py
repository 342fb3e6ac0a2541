"""What of a training goes to Weights & Biases, and where."""

from dataclasses import dataclass
from typing import Literal

Artifacts = Literal["all", "best", "none"]


@dataclass(frozen=True)
class WandbConfig:
    """Settings of `--logger wandb`.

    Attributes:
        project: The W&B project.
        entity: The user or team that it belongs to; null for the account's default.
        name: What the run is called; null for the name of the run directory.
        tags: Its tags.
        artifacts: Validations whose checkpoint and descriptors are kept: `all`, each `best` so far,
            or `none`.
        pictures: Rows of each table of false matches and missed copies; 0 for no pictures.
        wait: Seconds that the end of a training waits for uploads; what is left then,
            `wandb sync` uploads.
    """

    project: str = "sscd"
    entity: str | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    artifacts: Artifacts = "all"
    pictures: int = 30
    wait: float = 60.0

    def __post_init__(self) -> None:
        if self.pictures < 0:
            raise ValueError(f"pictures got {self.pictures}; expected 0 or more")
        if not 0 < self.wait < float("inf"):
            raise ValueError(f"wait got {self.wait}; expected seconds above 0")
