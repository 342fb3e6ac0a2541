"""A small network, and a checkpoint of it."""

from pathlib import Path

import torch

from sscd.augment.inference import InferenceSize
from sscd.models.checkpoint import pack_metadata
from sscd.models.describer import DescriberSpec
from sscd.models.descriptor import DescriptorNet, NetworkConfig

INFERENCE = InferenceSize(32, "short_side")


def small_network(*, dims: int = 8, seed: int = 0) -> DescriptorNet:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return DescriptorNet(NetworkConfig("resnet18", dims)).eval()


def small_spec(*, batch_size: int = 4, workers: int = 0, seed: int = 0) -> DescriberSpec:
    return DescriberSpec(small_network(seed=seed), INFERENCE, batch_size, workers, "cpu")


def write_checkpoint(path: Path, *, seed: int = 0) -> Path:
    network = small_network(seed=seed)
    weights = {f"network.{key}": value for key, value in network.state_dict().items()}
    metadata = pack_metadata(network.config, INFERENCE, trained_at=32, optimizer="adamw")
    torch.save({"state_dict": weights, "global_step": 0, **metadata}, path)
    return path
