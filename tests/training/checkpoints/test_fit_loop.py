"""What is mended of Lightning is still there to be mended."""

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.loops.fit_loop import _FitLoop
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop
from lightning.pytorch.trainer.connectors.logger_connector.logger_connector import (
    _LoggerConnector,
)
from lightning.pytorch.trainer.connectors.signal_connector import _SignalConnector

from sscd.training.checkpoints.fit_loop import ExactEpochLoop, ExactFitLoop, use_exact_loops


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (_FitLoop, "restarting"),
        (_FitLoop, "_load_combined_loader_states"),
        (_FitLoop, "is_resuming"),
        (_TrainingEpochLoop, "_broadcast_sigterm_tensor"),
        (_TrainingEpochLoop, "on_advance_end"),
        (_TrainingEpochLoop, "_should_check_val_fx"),
        (_TrainingEpochLoop, "_is_training_done"),
        (_FitLoop, "done"),
        (_LoggerConnector, "should_update_logs"),
        (_SignalConnector, "register_signal_handlers"),
    ],
)
def test_lightning_still_has_what_is_overridden(owner: type, name: str) -> None:
    assert hasattr(owner, name)


def test_a_trainer_keeps_its_limits() -> None:
    trainer = Trainer(
        max_epochs=7,
        min_epochs=2,
        max_steps=30,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    use_exact_loops(trainer)
    assert isinstance(trainer.fit_loop, ExactFitLoop)
    assert isinstance(trainer.fit_loop.epoch_loop, ExactEpochLoop)
    assert (trainer.max_epochs, trainer.min_epochs, trainer.max_steps) == (7, 2, 30)
