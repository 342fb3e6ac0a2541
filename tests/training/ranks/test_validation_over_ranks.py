"""Validation by several real gloo processes finds the figures that one finds, to the last bit."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Trainer, seed_everything
from torch.multiprocessing.spawn import spawn

from sscd.augment.inference import InferenceSize
from sscd.data.ground_truth import GroundTruth
from sscd.data.module import CopyDetectionData
from sscd.data.sources import ProceduralConfig
from sscd.errors import UserError
from sscd.models.descriptor import NetworkConfig
from sscd.training.module import CopyDetector
from sscd.training.ranks.launch import data_parallel
from sscd.training.ranks.rank_environment import RankEnvironment
from tests.training.free_port import free_port

# Neither 13 references nor 10 queries divide by four, nor 13 by two.
PICTURES = ProceduralConfig(size=32, training=8, references=13, copies=6, distractors=4)


class WithoutTruth(CopyDetectionData):
    """Its ground truth speaks of pictures that are not there."""

    def setup(self, stage: str) -> None:
        super().setup(stage)
        truth = GroundTruth(frozenset({("Q", "R")}), frozenset({"Q"}))
        self.collection = dataclasses.replace(self.collection, truth=truth)


def figures(
    trainer: Trainer, cache: Path, *, kind: type[CopyDetectionData] = CopyDetectionData
) -> dict[str, float]:
    """What a fixed network reaches; each picture is described alone, so that its bits are too."""
    seed_everything(5, verbose=False)
    network = CopyDetector(NetworkConfig(backbone="resnet18", dims=16))
    data = kind(
        cache=cache,
        procedural=PICTURES,
        inference=InferenceSize(32, "square"),
        eval_batch_size=1,
        workers=0,
        batch_size=8,
    )
    trainer.validate(network, data, verbose=False)
    pictures = len(data.collection.references) + len(data.collection.queries)
    found = {key: float(value) for key, value in trainer.callback_metrics.items()}
    return {**found, "pictures": pictures}


def _validate(rank: int, ranks: int, port: int, cache: str, out: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(ranks),
    }

    def trainer() -> Trainer:
        return Trainer(
            accelerator="cpu",
            devices=ranks,
            strategy=data_parallel(),
            plugins=[RankEnvironment(os.environ, processes=ranks)],
            **QUIET,  # type: ignore[arg-type]
        )

    told: dict[str, Any] = {"figures": figures(trainer(), Path(cache))}
    try:
        figures(trainer(), Path(cache), kind=WithoutTruth)
    except UserError as error:
        told["refused"] = str(error)
    (Path(out) / f"{rank}.json").write_text(json.dumps(told))
    torch.distributed.destroy_process_group()


QUIET = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "use_distributed_sampler": False,
    "enable_checkpointing": False,
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def of_one(cache: Path) -> dict[str, float]:
    trainer = Trainer(accelerator="cpu", devices=1, **QUIET)  # type: ignore[arg-type]
    return figures(trainer, cache)


@pytest.fixture(scope="module", params=[2, pytest.param(4, marks=pytest.mark.slow)])
def of_ranks(
    request: pytest.FixtureRequest, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    ranks, out = request.param, tmp_path_factory.mktemp("out")
    arguments = (ranks, free_port(), str(cache), str(out))
    spawn(_validate, args=arguments, nprocs=ranks)  # type: ignore[no-untyped-call]
    return [json.loads((out / f"{rank}.json").read_text()) for rank in range(ranks)]


def test_figures_of_several_ranks_are_those_of_one(
    of_one: dict[str, float], of_ranks: list[dict[str, Any]]
) -> None:
    assert 0 < of_one["val/micro_ap"] < 1
    assert [told["figures"] for told in of_ranks] == [of_one] * len(of_ranks)


def test_what_fails_on_rank_0_reaches_the_ranks_that_wait(of_ranks: list[dict[str, Any]]) -> None:
    (refused,) = {told["refused"] for told in of_ranks}
    assert "quer" in refused
