import pytest
import torch

from sscd.errors import UserError
from sscd.search.engines.devices import (
    devices_of,
    gpu_numbers,
    precisions,
    search_settings,
    workers,
)

CPU = torch.device("cpu")


def test_settings_come_and_go() -> None:
    matmul = torch.backends.cuda.matmul
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    before = matmul.allow_bf16_reduced_precision_reduction
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16), search_settings("cpu") as jobs:
            assert torch.get_float32_matmul_precision() == "highest"
            assert not matmul.allow_bf16_reduced_precision_reduction
            assert not torch.is_autocast_enabled("cpu")
            assert 1 <= jobs * torch.get_num_threads() <= 3
        assert torch.get_float32_matmul_precision() == "medium"
        assert torch.get_num_threads() == 3
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.set_num_threads(threads)
    assert before == matmul.allow_bf16_reduced_precision_reduction


@pytest.mark.parametrize("jobs", [1, 3])
def test_workers_keep_the_order_and_pass_errors_on(jobs: int) -> None:
    with workers(CPU, jobs) as each:
        assert list(each(abs, [-3, 2, -1])) == [3, 2, 1]
        with pytest.raises(ZeroDivisionError):
            list(each(lambda x: 1 / x, [1, 0, 2]))


def test_the_last_precision_is_float32() -> None:
    assert precisions(CPU)[-1] == torch.float32
    assert precisions(CPU) in ((torch.float32,), (torch.bfloat16, torch.float32))


def test_a_distributed_training_takes_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu_numbers(3) == [0, 1, 2]
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert gpu_numbers(3) == [1]
    assert gpu_numbers(0) == []


def test_the_cpu_is_one_device() -> None:
    assert devices_of("cpu") == [CPU]
    if torch.cuda.is_available():
        assert len(devices_of("auto")) == torch.cuda.device_count()
    else:
        assert devices_of("auto") == [CPU]
        with pytest.raises(UserError, match="device cuda"):
            devices_of("cuda")
