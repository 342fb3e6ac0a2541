"""`best.ckpt`: the checkpoint of the highest micro-AP, wherever the run directory has moved."""

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint


class BestCheckpoint(ModelCheckpoint):
    """Keeps the checkpoint of the highest validation micro-AP.

    Lightning forgets the best score where the directory has another path than before, and a worse
    validation would then replace the file.

    Args:
        path: `best.ckpt`, in the run's directory of checkpoints.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            dirpath=path.parent,
            filename=path.stem,
            monitor="val/micro_ap",
            mode="max",
            save_on_train_epoch_end=False,
            enable_version_counter=False,
        )
        self._path = path

    @property
    def state_key(self) -> str:
        """As of Lightning's own class, whose state older checkpoints hold."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the best score, where its file has come along."""
        best = Path(state_dict["best_model_path"])
        if best.name == self._path.name and self._path.is_file():
            state_dict = self._moved(state_dict)
        super().load_state_dict(state_dict)

    def _moved(self, state: dict[str, Any]) -> dict[str, Any]:
        directory = Path(str(self.dirpath))

        def here(path: str) -> str:
            return str(directory / Path(path).name) if path else path

        return state | {
            "dirpath": self.dirpath,
            "best_model_path": here(state["best_model_path"]),
            "kth_best_model_path": here(state["kth_best_model_path"]),
            "last_model_path": here(state["last_model_path"]),
            "best_k_models": {here(path): score for path, score in state["best_k_models"].items()},
        }
