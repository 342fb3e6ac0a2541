import re

import pytest
import torch

from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.fingerprint import network_fingerprint
from sscd.models.network_config import PoolingName
from tests.models.networks import small_network


def test_equal_networks_have_one_fingerprint_whatever_their_layout() -> None:
    network = small_network()
    expected = network_fingerprint(network)
    assert re.fullmatch("[0-9a-f]{16}", expected)
    assert network_fingerprint(small_network()) == expected
    assert network_fingerprint(network.to(memory_format=torch.channels_last)) == expected
    assert network_fingerprint(network.train()) == expected


@pytest.mark.parametrize("key", ["head.bias", "backbone.bn1.running_var", "head.weight"])
def test_any_number_changes_it(key: str) -> None:
    network = small_network()
    before = network_fingerprint(network)
    network.state_dict()[key].view(-1)[-1] += 1e-3
    assert network_fingerprint(network) != before


def test_the_configuration_and_the_type_change_it() -> None:
    network = small_network()
    other = DescriptorNet(NetworkConfig("resnet18", 8, gem_p=4.0))
    other.load_state_dict(network.state_dict(), strict=False)
    fingerprints = {network_fingerprint(net) for net in (network, other, small_network(seed=1))}
    assert len(fingerprints) == 3
    assert network_fingerprint(network.half()) not in fingerprints


@pytest.mark.parametrize(
    ("config", "expected"),
    [  # with every setting that came later at its default
        (NetworkConfig("resnet18", 8), "dda4d379341c4b9d"),
        (NetworkConfig("resnet50", 256), "0beb7f1db5bf3549"),
        (NetworkConfig("resnet18", 8, gem_p=4.0), "792b3e1292237a19"),
    ],
)
def test_networks_of_version_0_1_keep_their_fingerprint(
    config: NetworkConfig, expected: str
) -> None:
    """Descriptors, and thresholds chosen on them, name their network by it; 0.1.0 gave these."""
    network = DescriptorNet(config)
    for place, (_, value) in enumerate(sorted(network.state_dict().items())):
        if value.is_floating_point():
            value.copy_(((torch.arange(value.numel()) % 7 + place % 5) / 8).reshape(value.shape))
        else:
            value.fill_(place % 3)
    assert network_fingerprint(network) == expected


def test_a_whole_exponent_is_the_same_number_in_either_type() -> None:
    network = small_network()
    other = DescriptorNet(NetworkConfig("resnet18", 8, gem_p=3))
    other.load_state_dict(network.state_dict())
    assert network_fingerprint(other) == network_fingerprint(network)
    whole, fraction = (
        DescriptorNet(NetworkConfig("resnet18", 8, gem_p_inference=exponent))
        for exponent in (7, 7.0)
    )
    whole.load_state_dict(network.state_dict())
    fraction.load_state_dict(network.state_dict())
    assert network_fingerprint(whole) == network_fingerprint(fraction)
    assert network_fingerprint(whole) != network_fingerprint(network)


@pytest.mark.parametrize("pooling", ["avg", "attention"])
def test_another_pooling_is_another_network(pooling: PoolingName) -> None:
    network = small_network()
    other = DescriptorNet(NetworkConfig("resnet18", 8, pooling=pooling))
    other.load_state_dict(network.state_dict())
    assert network_fingerprint(other) != network_fingerprint(network)
