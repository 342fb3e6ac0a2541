import re

import pytest
import torch

from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.fingerprint import network_fingerprint
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
