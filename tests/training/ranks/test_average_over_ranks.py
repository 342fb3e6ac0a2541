"""Two real gloo processes hold one average of the weights, which is what describes."""

import os
from pathlib import Path

import pytest
import torch
from lightning import Trainer, seed_everything
from torch.multiprocessing.spawn import spawn

from sscd.augment.inference import InferenceSize
from sscd.data.module import CopyDetectionData
from sscd.data.sources import ProceduralConfig
from sscd.models.descriptor import NetworkConfig
from sscd.training.averaging import AverageConfig
from sscd.training.module import CopyDetector
from sscd.training.optimization.optimizer_config import OptimizerConfig
from sscd.training.ranks.launch import data_parallel
from sscd.training.ranks.rank_environment import RankEnvironment
from tests.training.free_port import free_port

PICTURES = ProceduralConfig(size=32, training=8, references=2, copies=1, distractors=1)


def _train(rank: int, port: int, folder: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
    }
    seed_everything(5, verbose=False)
    detector = CopyDetector(
        NetworkConfig(backbone="resnet18", dims=8),
        optimizer=OptimizerConfig(name="sgd", lr=0.01, reference_batch=None),
        average=AverageConfig(0.5),
    )
    data = CopyDetectionData(
        cache=Path(folder) / f"cache{rank}",
        procedural=PICTURES,
        inference=InferenceSize(32, "square"),
        image_size=32,
        workers=0,
        batch_size=4,
    )
    trainer = Trainer(
        accelerator="cpu",
        devices=2,
        strategy=data_parallel(),
        plugins=[RankEnvironment(os.environ, processes=2)],
        max_steps=2,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        limit_val_batches=0,
    )
    before = {name: p.detach().clone() for name, p in detector.network.named_parameters()}
    trainer.fit(detector, data)
    trainer.save_checkpoint(Path(folder) / "saved.ckpt")
    state = {name: p.detach() for name, p in detector.network.named_parameters()}
    torch.save({"before": before, "state": state}, Path(folder) / f"{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_all_ranks_hold_one_average(tmp_path: Path) -> None:
    spawn(_train, args=(free_port(), str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    saved = torch.load(tmp_path / "saved.ckpt")["state_dict"]
    for name, average in first["state"].items():
        assert torch.equal(average, second["state"][name]), name
        assert torch.equal(average, saved[f"network.{name}"]), name
        assert "bias" in name or not torch.equal(average, saved[f"training_network.{name}"]), name
    assert not torch.equal(first["before"]["head.weight"], first["state"]["head.weight"])
