"""The training's loader: what it gives does not depend on how it is made."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.augment.mixup import MixupConfig
from sscd.augment.recipes import RecipeConfig
from sscd.data.loading.view_batch import ViewBatch
from sscd.data.module import AugmentOn, CopyDetectionData
from sscd.data.sources import ProceduralConfig

SMALL = ProceduralConfig(size=40, training=31, references=3, copies=2, distractors=2)


def data_module(cache: Path, **changes: Any) -> CopyDetectionData:
    settings: dict[str, Any] = {
        "image_size": 32,
        "recipe": RecipeConfig(),
        "mixup": MixupConfig(probability=0.3),
        "batch_size": 10,
        "workers": 0,
        "seed": 3,
        "cache": cache,
        "procedural": SMALL,
    }
    module = CopyDetectionData(**settings | changes)
    module.prepare_data()
    module.setup("fit")
    return module


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def batches_of(module: CopyDetectionData, *, epoch: int = 1) -> Iterator[ViewBatch]:
    """As Lightning gives them to a step on a CPU."""
    loader = module.train_dataloader()
    loader.batch_sampler.sampler.set_epoch(epoch)
    for batch in loader:
        moved = module.transfer_batch_to_device(batch, torch.device("cpu"), 0)
        yield module.on_after_batch_transfer(moved, 0)


@pytest.mark.parametrize("augment_on", ["cpu", "device"])
@pytest.mark.parametrize(("workers", "chunk"), [(0, 4), (2, 3), (3, 32), (1, 1)])
def test_steps_do_not_depend_on_workers_or_chunks(
    cache: Path, workers: int, chunk: int, augment_on: AugmentOn
) -> None:
    plain = list(batches_of(data_module(cache, chunk=100, augment_on=augment_on)))
    assert len(plain) == 3
    module = data_module(cache, workers=workers, chunk=chunk, augment_on=augment_on)
    assert len(module.train_dataloader()) == 3
    for got, want in zip(batches_of(module), plain, strict=True):
        assert torch.equal(got.views, want.views)
        assert torch.equal(got.contents, want.contents)  # with the mixing of whole steps


def test_no_chunk_is_refused(cache: Path) -> None:
    with pytest.raises(ValueError, match="chunk must be at least 1"):
        CopyDetectionData(chunk=0)


def test_too_little_shared_memory_is_a_warning(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = data_module(cache, workers=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module.train_dataloader()
    full = shutil.disk_usage(cache)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.warns(UserWarning, match="workers may need"):
        module.train_dataloader()
