"""Files as they were published, built from the list of their keys and shapes, and twins of them."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

SHAPES: dict[str, dict[str, list[int]]] = json.loads(
    (Path(__file__).parent / "state_dict_shapes.json").read_text()
)
MIXUP_CLASSY = "sscd_disc_mixup.classy.pt"
MIXUP_TORCHVISION = "sscd_disc_mixup.torchvision.pt"
LARGE_CLASSY = "sscd_disc_large.classy.pt"


def hollow_weights(name: str) -> dict[str, Tensor]:
    """All keys and shapes of a published file, in next to no memory."""
    return {key: torch.zeros(()).expand(shape) for key, shape in SHAPES[name].items()}


def random_weights(name: str, *, seed: int = 0) -> dict[str, Tensor]:
    """Weights under which every branch of the network counts, and nothing overflows."""
    return randomised({key: torch.empty(shape) for key, shape in SHAPES[name].items()}, seed=seed)


def randomised(state: dict[str, Tensor], *, seed: int = 0) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(seed)
    drawn: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.endswith("num_batches_tracked"):
            drawn[key] = torch.tensor(7)
        elif value.ndim == 1:  # biases, and scales, means and variances of batch norm
            drawn[key] = torch.rand(value.shape, generator=random) * 0.5 + 0.5
        else:
            fan_in = value[0].numel()
            drawn[key] = torch.randn(value.shape, generator=random) * (1 / fan_in) ** 0.5
    return drawn


class ClassyTwin(nn.Module):
    """The network of the `*.classy.pt` files as its keys have it, written down independently.

    Args:
        blocks: Blocks in each stage.
        width: Channels inside the blocks of the first stage.
        groups: Groups of the middle convolution.
        dims: Length of the descriptor.
    """

    def __init__(self, blocks: tuple[int, ...], *, width: int, groups: int, dims: int) -> None:
        super().__init__()
        first = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        stages, channels = [], 64
        for index, count in enumerate(blocks):
            stage = nn.Sequential()
            for place in range(count):
                inner, outer = width * 2**index, 256 * 2**index
                stride = 2 if index and not place else 1
                block = ClassyBlock(channels, inner, outer, stride=stride, groups=groups)
                stage.add_module(f"block{index}-{place}", block)
                channels = outer
            stages.append(stage)
        self.backbone = nn.Module()
        self.backbone.initial_block = nn.Module()
        self.backbone.initial_block._module = first
        self.backbone.blocks = nn.Sequential(*stages)
        self.embeddings = nn.Sequential(nn.Identity(), nn.Linear(channels, dims))

    def forward(self, x: Tensor) -> Tensor:
        backbone = self.backbone
        x = backbone.blocks(backbone.initial_block._module(x))  # type: ignore[operator, union-attr]
        pooled = x.clamp(min=1e-6).pow(3.0).mean(dim=(2, 3)).pow(1 / 3)
        return functional.normalize(self.embeddings(pooled))


class ClassyBlock(nn.Module):
    def __init__(self, channels: int, inner: int, outer: int, *, stride: int, groups: int) -> None:
        super().__init__()
        self.convolutional_block = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, stride, 1, groups=groups, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, outer, 1, bias=False),
        )
        self.bn = nn.BatchNorm2d(outer)
        self.downsample = None
        if stride != 1 or channels != outer:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)
            )

    def forward(self, x: Tensor) -> Tensor:
        beside = x if self.downsample is None else self.downsample(x)
        return functional.relu(self.bn(self.convolutional_block(x)) + beside)


def classy_resnet50() -> ClassyTwin:
    return ClassyTwin((3, 4, 6, 3), width=64, groups=1, dims=512)


def classy_resnext101() -> ClassyTwin:
    return ClassyTwin((3, 4, 23, 3), width=128, groups=32, dims=1024)


class TorchvisionTwin(nn.Module):
    """A ResNet18 under the names of the `*.torchvision.pt` files, of torchvision's own parts."""

    def __init__(self, dims: int = 16) -> None:
        from torchvision.models import resnet18

        super().__init__()
        self.backbone = resnet18(weights=None, num_classes=dims)
        self.backbone.avgpool = GeMTwin()

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(self.backbone(x))


class GeMTwin(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=1e-6).pow(3.0).mean(dim=(2, 3), keepdim=True).pow(1 / 3)
