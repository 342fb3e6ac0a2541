"""Settings that cannot be trained with are named before anything is built."""

from typing import Any

import pytest
import torch

from sscd.errors import UserError
from sscd.training.trainer_parts import check_trainer

OPEN = {"default_root_dir": None, "max_epochs": None, "max_steps": -1, "accelerator": "auto"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"default_root_dir": "x"}, "give --run_dir DIR"),
        ({"max_epochs": 0}, "trainer.max_epochs is 0"),
        ({"max_steps": 0}, "trainer.max_steps is 0"),
    ],
)
def test_refused(given: dict[str, Any], words: str) -> None:
    check_trainer(OPEN)
    with pytest.raises(UserError, match=words):
        check_trainer(OPEN | given)


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU"
)
@pytest.mark.parametrize("name", ["gpu", "cuda"])
def test_a_gpu_that_is_not_there(name: str) -> None:
    with pytest.raises(UserError, match="torch sees no GPU here; give --trainer"):
        check_trainer(OPEN | {"accelerator": name})
