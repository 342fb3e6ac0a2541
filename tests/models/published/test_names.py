"""Names of published parameters: the lists of the files, to the last key."""

import pytest
import torch

from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.published.names import format_of, namer
from tests.models.published.files import LARGE_CLASSY, MIXUP_CLASSY, MIXUP_TORCHVISION, SHAPES


@pytest.mark.parametrize(
    ("file", "format_", "config"),
    [
        (MIXUP_CLASSY, "classy", NetworkConfig("resnet50", 512)),
        (MIXUP_TORCHVISION, "torchvision", NetworkConfig("resnet50", 512)),
        (LARGE_CLASSY, "classy", NetworkConfig("resnext101_32x4d", 1024)),
    ],
)
def test_every_parameter_has_its_published_name_and_shape(
    file: str, format_: str, config: NetworkConfig
) -> None:
    names = namer(format_, basic=False)  # type: ignore[arg-type]
    with torch.device("meta"):
        state = DescriptorNet(config).state_dict()
    assert {names(key): list(value.shape) for key, value in state.items()} == SHAPES[file]
    assert format_of(set(SHAPES[file])) == format_


def test_basic_blocks_keep_their_last_norm_outside() -> None:
    names = namer("classy", basic=True)
    assert names("backbone.layer2.1.bn2.bias") == "backbone.blocks.1.block1-1.bn.bias"
    assert names("backbone.layer2.1.bn1.bias").endswith("block1-1.convolutional_block.1.bias")


def test_other_names_are_of_no_format() -> None:
    assert format_of({"conv1.weight", "fc.weight"}) is None
    assert format_of(set()) is None
