"""What tells one trained network from another, wherever its file lies."""

import dataclasses
import hashlib
import json

import torch

from sscd.models.descriptor import DescriptorNet, NetworkConfig

_ALWAYS = ("backbone", "dims", "gem_p")
_FRACTIONS = ("gem_p", "gem_p_inference")


def network_fingerprint(network: DescriptorNet) -> str:
    """64 bits of BLAKE2b over a network's configuration and all its weights and statistics.

    The device and the memory layout do not matter, nor does the file it came from.

    Args:
        network: Any network; it is not changed.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=8)
    digest.update(_line(_settings(network.config)))
    for name, value in sorted(network.state_dict().items()):
        digest.update(_line([name, str(value.dtype), list(value.shape)]))
        flat = value.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _settings(config: NetworkConfig) -> dict[str, object]:
    """The configuration; settings that came later count where they are not at their default.

    So the fingerprint of a network does not change when a setting is added that it does not use.
    """
    default = dataclasses.asdict(NetworkConfig())
    # An exponent that is learnt is among the weights; the setting only says where it began.
    counted = ("backbone", "dims") if config.gem_p_learnt else _ALWAYS
    return {
        # 3 and 3.0 are one exponent, and JSON writes them in two ways.
        key: float(value) if key in _FRACTIONS and value is not None else value
        for key, value in dataclasses.asdict(config).items()
        if key in counted or (key not in _ALWAYS and value != default[key])
    }


def _line(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode() + b"\n"
