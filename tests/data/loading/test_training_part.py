"""Training views over the epochs: of all kinds, by any number of workers, as long as it takes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Trainer

from sscd.augment.curriculum import CurriculumConfig
from sscd.augment.view_kinds import GentleConfig, LocalConfig
from sscd.data.loading.training_part import epochs_of
from sscd.data.loading.view_batch import ViewBatch
from sscd.data.module import CopyDetectionData
from sscd.data.sources import ProceduralConfig
from sscd.errors import UserError

SMALL = ProceduralConfig(size=40, training=11, references=3, copies=2, distractors=2)
CHANGING: dict[str, Any] = {
    "gentle": GentleConfig(1),
    "curriculum": CurriculumConfig(until=0.5, share=0.5),
    "progression": ((0.0, 16), (0.5, 32)),
    "local": LocalConfig(2, 12),
    "unedited": "negatives",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def bounded(**limits: Any) -> Trainer:
    return Trainer(
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **limits,
    )


def data_module(cache: Path, trainer: Trainer | None = None, **changes: Any) -> CopyDetectionData:
    settings = {"image_size": 32, "batch_size": 5, "workers": 0, "seed": 3} | CHANGING
    module = CopyDetectionData(cache=cache, procedural=SMALL, **settings | changes)
    module.trainer = trainer
    module.prepare_data()
    module.setup("fit")
    return module


def epochs(module: CopyDetectionData, count: int) -> list[list[ViewBatch]]:
    """By one loader, whose workers outlive an epoch."""
    loader = module.train_dataloader()
    found = []
    for epoch in range(count):
        loader.epoch_sampler.set_epoch(epoch)
        found.append(list(loader))
    return found


@pytest.mark.parametrize("augment_on", ["cpu", "device"])
def test_views_change_with_the_epochs_whoever_makes_them(cache: Path, augment_on: Any) -> None:
    trainer = bounded(max_epochs=4)
    plain = epochs(data_module(cache, trainer, augment_on=augment_on, chunk=100), 3)
    module = data_module(cache, trainer, workers=2, chunk=2, augment_on=augment_on)
    for size, batches, expected in zip((16, 16, 32), epochs(module, 3), plain, strict=True):
        assert len(batches) == len(expected) == 2
        for batch, whole in zip(batches, expected, strict=True):
            assert batch.views.shape == (5, 2, 3, size, size)
            assert batch.tensors.keys() == whole.tensors.keys()
            assert all(torch.equal(batch.tensors[n], part) for n, part in whole.tensors.items())
            assert batch.contents.shape == (5, 5, 1)
            assert batch.local is not None
            assert batch.local.shape == (5, 2, 3, 12, 12)
            assert batch.unedited is not None
            assert torch.equal(batch.views[:, :1], batch.unedited)  # the gentle view is the whole


def test_a_trainer_says_how_many_epochs_there_are() -> None:
    assert epochs_of(bounded(max_epochs=7), 10) == 7
    assert epochs_of(bounded(max_epochs=7, max_steps=35), 10) == 3.5
    assert epochs_of(bounded(max_epochs=-1, max_steps=35), 10) == 3.5
    assert epochs_of(bounded(max_epochs=3, max_steps=35), 10) == 3
    assert epochs_of(bounded(max_steps=6, limit_train_batches=4, max_epochs=-1), 10) == 1.5
    assert epochs_of(bounded(max_steps=6, limit_train_batches=0.3, max_epochs=-1), 10) == 2
    assert epochs_of(bounded(max_steps=6, max_epochs=-1, accumulate_grad_batches=5), 10) == 3
    assert epochs_of(bounded(max_steps=6, max_epochs=-1, accumulate_grad_batches=4), 10) == 2
    assert epochs_of(bounded(max_epochs=-1), 10) is None


def test_views_that_change_need_an_end(cache: Path) -> None:
    with pytest.raises(UserError, match=r"need a training with an end; give trainer\.max_epochs"):
        data_module(cache, bounded(max_epochs=-1)).train_dataloader()
    with pytest.raises(UserError, match=r"and data\.progression need"):
        data_module(cache).train_dataloader()
    steady = data_module(cache, curriculum=CurriculumConfig(), progression=())
    assert len(steady.train_dataloader()) == 2


def test_room_is_kept_for_the_largest_views(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed: list[int] = []

    def note(amount: int) -> str:
        needed.append(amount)
        return ""

    monkeypatch.setattr("sscd.data.loading.training_loader.shared_memory_warning", note)
    loader = data_module(cache, bounded(max_epochs=4), workers=1).train_dataloader()
    assert needed == [loader.pictures_ahead * 3 * (3 * 32**2 + 2 * 12**2)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gentle": GentleConfig(2)}, "gentle.views got 2 of 2"),
        ({"progression": ((0.0, 16),)}, "progression ends with 16 px, image_size is 224"),
    ],
)
def test_wrong_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CopyDetectionData(**values)
