"""Files in which anything at all stands where tensors and settings belong: one line each."""

from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.errors import UserError
from sscd.models.loading import load_network
from tests.models.published.files import MIXUP_TORCHVISION, hollow_weights

OWN = {"format": 1, "network": {"backbone": "resnet18", "dims": 8}, "inference": {"size": 32}}
TRAINED = {f"model.{key}": value for key, value in hollow_weights(MIXUP_TORCHVISION).items()}


@pytest.mark.parametrize(
    "content",
    [
        {"sscd": 5, "state_dict": {}},
        {"sscd": OWN, "state_dict": [1]},
        {"sscd": OWN, "state_dict": {3: 4}},
        {"sscd": OWN | {"network": {"backbone": 5}}, "state_dict": {}},
        {"sscd": OWN | {"network": {"dims": 10**13}}, "state_dict": {}},
        {"sscd": OWN | {"inference": {"size": 32.5}}, "state_dict": {}},
        {"sscd": OWN | {"inference": {"mode": "cube"}}, "state_dict": {}},
        {"backbone.conv1.weight": 3, "backbone.fc.weight": 7},
        {"backbone.conv1.weight": 3, "backbone.fc.weight": torch.zeros(())},
        {3: 4, "backbone.layer1": 5},
        {"state_dict": TRAINED, "hyper_parameters": {"args": [1, 2]}},
        {"state_dict": TRAINED, "hyper_parameters": {"pool_param": "many"}},
        {"state_dict": TRAINED, "hyper_parameters": {"pool_param": -1}},
    ],
)
def test_one_line(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    torch.save(content, path)
    with pytest.raises(
        UserError, match=r"a\.ckpt (is damaged or was changed|describes no)"
    ) as told:
        load_network(path)
    assert "\n" not in str(told.value)
