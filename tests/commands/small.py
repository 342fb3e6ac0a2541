"""A small untrained network and a few pictures with copies, for commands that describe."""

from pathlib import Path

import torch

from sscd.augment.inference import InferenceSize
from sscd.data.ground_truth import GroundTruth, write_ground_truth
from sscd.data.procedural import draw_picture
from sscd.evaluation.calibration import Calibration
from sscd.evaluation.thresholds import OperatingPoints
from sscd.models.checkpoint import TrainedNetwork, pack_metadata
from sscd.models.describer import origin_of
from sscd.models.descriptor import DescriptorNet, NetworkConfig

MULTIGRAIN = NetworkConfig(backbone="resnet18", dims=512, head="none", gem_p_inference=7.0)
HOW = NetworkConfig(backbone="resnet18", dims=16, pooling="attention", last_stage=3)


def write_checkpoint(
    path: Path, *, dims: int = 16, seed: int = 0, config: NetworkConfig | None = None
) -> Path:
    """An untrained ResNet18 at 32 pixels, which finds copies that were encoded anew."""
    torch.manual_seed(seed)
    config = config or NetworkConfig(backbone="resnet18", dims=dims)
    network = DescriptorNet(config)
    metadata = pack_metadata(
        config,
        InferenceSize(32, "square"),
        trained_at=32,
        optimizer="adamw",
        recipe={"views": {"name": "advanced"}},
    )
    state = {f"network.{key}": value for key, value in network.state_dict().items()}
    torch.save({"state_dict": state, "global_step": 0, **metadata}, path)
    return path


def draw_sets(root: Path, *, references: int = 12, copies: int = 4, training: int = 24) -> Path:
    """Directories `references`, `queries` (copies, then strangers), `training`; `truth.csv`."""
    numbers = iter(range(1000))
    for name, count in (("references", references), ("training", training)):
        (root / name).mkdir(parents=True)
        for index in range(count):
            picture = draw_picture(seed=1, index=next(numbers), size=48)
            picture.save(root / name / f"{name[0].upper()}{index:03d}.png")
            if name == "references" and index < copies:
                (root / "queries").mkdir(exist_ok=True)
                picture.save(root / "queries" / f"Q{index:03d}.jpg", quality=60)
    for index in range(copies, 2 * copies):
        picture = draw_picture(seed=1, index=next(numbers), size=48)
        picture.save(root / "queries" / f"Q{index:03d}.jpg", quality=60)
    pairs = frozenset((f"Q{index:03d}", f"R{index:03d}") for index in range(copies))
    listed = frozenset(f"Q{index:03d}" for index in range(2 * copies))
    write_ground_truth(root / "truth.csv", GroundTruth(pairs, listed))
    return root


def draw_disc(root: Path, *, copies: int = 4, training: int = 24) -> Path:
    """The same pictures in DISC21's layout."""
    draw_sets(root, copies=copies, training=training)
    for before, after in (
        ("training", "train"),
        ("queries", "dev_queries"),
        ("truth.csv", "dev_queries_groundtruth.csv"),
    ):
        (root / before).rename(root / after)
    return root


def calibration_of(trained: TrainedNetwork) -> Calibration:
    """99 % precision from score −0.1 on, 90 % from −0.4, 60 % from −1, on 12 references."""
    points = OperatingPoints((-0.1, -0.4, -1.0), (990, 1080, 1200), (10, 120, 800), 1200)
    own = origin_of(trained.network, trained.inference)
    return Calibration(points, 2400, 12, own, "l2", "the best pairs")
