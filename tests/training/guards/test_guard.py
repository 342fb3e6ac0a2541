"""What has diverged is neither validated nor saved, however late it is looked at."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sscd.errors import UserError
from sscd.training.checkpoints.last_checkpoint import LastCheckpoint
from sscd.training.guards.guard import DivergenceGuard


class Diverging(LightningModule):
    """A linear regression whose loss is NaN at one batch."""

    def __init__(self, bad: int) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.bad = bad
        self.last_statistics: dict[str, Tensor] = {}
        self.steps = 0
        self.validated = False

    def entropy_weight(self, step: int) -> float:
        return step / 2

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        self.steps += 1
        loss: Tensor = self.layer(batch[0]).square().mean()
        return loss * (torch.nan if batch_idx == self.bad else 1.0)

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.validated = True

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(model: Diverging, folder: Path, *, delay: int | None, **settings: Any) -> None:
    guard = DivergenceGuard(delay)
    last = LastCheckpoint(folder / "last.ckpt", checks=(guard.look,))
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        callbacks=[guard, last],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        default_root_dir=folder,
        **settings,
    )
    loader = DataLoader(TensorDataset(torch.ones(8, 2)), batch_size=1)
    trainer.fit(model, loader, loader)


def test_a_cpu_stops_before_the_weights_are_touched(tmp_path: Path) -> None:
    model = Diverging(bad=2)
    with pytest.raises(UserError, match=r"at step 2: loss and gradient norm are not .* weight 1;"):
        fit(model, tmp_path, delay=None)
    assert model.steps == 3
    assert bool(torch.isfinite(model.layer.weight).all())


@pytest.mark.parametrize("accumulated", [1, 2])
def test_a_late_look_still_comes_before_validation_and_saving(
    tmp_path: Path, accumulated: int
) -> None:
    model = Diverging(bad=6)
    with pytest.raises(UserError, match=f"diverged at step {6 // accumulated}"):
        fit(model, tmp_path, delay=5, accumulate_grad_batches=accumulated)
    assert model.steps == 8, "seen late"
    assert not model.validated
    assert not (tmp_path / "last.ckpt").exists()
