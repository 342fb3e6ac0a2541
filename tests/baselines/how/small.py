"""A small untrained network with local descriptors, and sets of pictures."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sscd.augment.inference import InferenceSize
from sscd.baselines.how.system import HowSystem
from sscd.data.records import ImageSet
from sscd.models.descriptor import DescriptorNet, NetworkConfig

INFERENCE = InferenceSize(48, "long_side")
SCALES = (1.0, 0.5)
FEATURES = 10


def local_network(*, seed: int = 0, dims: int = 16) -> DescriptorNet:
    config = NetworkConfig("resnet18", dims, pooling="attention", last_stage=3)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = DescriptorNet(config).eval()
        noise = torch.randint(0, 256, (8, 3, 48, 48), dtype=torch.uint8)
    # As a whitening does, so that descriptors lie about 0; rounded, for sums differ in their end.
    with torch.inference_mode():
        mean = network.local(noise)[0].mean(dim=(0, 2, 3))
        network.head.bias.data -= mean.round(decimals=2)
    return network


def small_system(network: DescriptorNet | None = None, **options: object) -> HowSystem:
    settings: dict[str, object] = {
        "inference": INFERENCE,
        "words": 4,
        "features": FEATURES,
        "scales": SCALES,
        "assignments": 2,
        "batch_size": 3,
        "workers": 0,
        "device": "cpu",
    }
    return HowSystem(network or local_network(), **(settings | options))  # type: ignore[arg-type]


def write_pictures(
    root: Path, name: str, count: int, *, first: int, broken: tuple[int, ...] = ()
) -> ImageSet:
    """Smooth noise of three sizes, the same for the same number; some files are no pictures."""
    (root / name).mkdir(parents=True)
    names = [f"{name[0].upper()}{index:03d}.png" for index in range(count)]
    for index, file in enumerate(names):
        rng = np.random.default_rng(first + index)
        noise = rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        size = ((48, 48), (64, 40), (40, 56))[index % 3]
        if index in broken:
            (root / name / file).write_bytes(b"no picture")
        else:
            Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(root / name / file)
    return ImageSet.from_names(name, root=root / name, names=names)
