"""The network in training steps: compiled in place where it is wanted and possible."""

import copy
import functools
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sscd.training.steps import compiling
from sscd.training.steps.compiling import FastSteps, compile_in_place

CPU = torch.device("cpu")


class Watched(nn.Module):
    """A small network that counts how often Python runs its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.runs = 0

    def forward(self, pictures: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            self.runs += 1
        described: Tensor = nn.functional.normalize(self.conv(pictures).mean(dim=(2, 3)), dim=1)
        return described


class Steps(LightningModule):
    """Trains on pictures of one size, and validates on several."""

    def __init__(self, *, wanted: bool | None) -> None:
        super().__init__()
        self.network = Watched()
        self.fast = FastSteps(self.network, wanted=wanted)
        self.runs_in_validation: list[int] = []

    def configure_callbacks(self) -> list[FastSteps]:
        return [self.fast]

    def training_step(self, batch: Tensor) -> Tensor:
        loss: Tensor = self.network(batch).sum()
        return loss

    def validation_step(self, batch: Tensor) -> None:
        before = self.network.runs
        self.network(batch)
        self.runs_in_validation.append(self.network.runs - before)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(module: Steps, folder: Path) -> Steps:
    sizes = [torch.randn(3, side, side) for side in (9, 10, 11, 12)]
    loaders: list[Any] = [
        DataLoader([torch.randn(3, 8, 8)] * 6, batch_size=2),  # type: ignore[arg-type]
        DataLoader(sizes, batch_size=1),  # type: ignore[arg-type]
    ]
    trainer = Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        max_epochs=2,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, *loaders)
    return module


@pytest.fixture(autouse=True)
def _fresh() -> None:
    torch.compiler.reset()


# A C++ compiler works for many seconds on what was traced.
@pytest.fixture(params=["eager", pytest.param("inductor", marks=pytest.mark.slow)])
def _backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=request.param))


@pytest.mark.usefixtures("_backend")
def test_steps_are_compiled_and_validation_is_not(tmp_path: Path) -> None:
    module = fit(Steps(wanted=True), tmp_path)
    assert module.runs_in_validation == [1] * 8
    assert module.network.runs == 8  # none of them a step's
    # What the training leaves behind is as it was.
    module.network(torch.randn(2, 3, 8, 8))
    assert module.network.runs == 8


@pytest.mark.parametrize("wanted", [False, None])
def test_a_cpu_runs_the_network_as_it_is_unless_told(tmp_path: Path, wanted: bool | None) -> None:
    module = fit(Steps(wanted=wanted), tmp_path)
    assert module.network.runs == 8 + 6


@pytest.mark.usefixtures("_backend")
def test_parameters_and_their_names_stay() -> None:
    plain = Watched()
    compiled = copy.deepcopy(plain)
    assert compile_in_place(compiled, CPU)
    assert list(compiled.state_dict()) == list(plain.state_dict())
    pictures = torch.randn(2, 3, 8, 8)
    results = []
    for network in (plain, compiled):
        network(pictures).square()[:, 0].sum().backward()
        results.append([p.grad for p in network.parameters()])
    assert compiled.runs == 0
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=1e-6)
    compiled.load_state_dict(plain.state_dict())


WITHOUT_COMPILER = """
import torch
from sscd.training.steps.compiling import compile_in_place

network = torch.nn.Linear(2, 2)
print(compile_in_place(network, torch.device("cpu")), network(torch.ones(1, 2)).shape)
"""


@pytest.mark.slow
def test_without_a_compiler_the_network_runs_as_it_is_with_one_warning(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPILER],
        env=os.environ | {"CXX": "no-such-compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.startswith("False torch.Size([1, 2])")
    (line,) = [line for line in told.stderr.splitlines() if "UserWarning" in line]
    assert "torch.compile does not work on this machine (InvalidCxxCompiler: " in line


def test_any_obstacle_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(values: Tensor) -> Tensor:
        raise RuntimeError("Cannot find a working triton installation\nSet TORCHDYNAMO_VERBOSE=1")

    # Triton is absent on GPU machines alone; this is what torch raises there.
    monkeypatch.setattr(compiling, "_probe", fails)
    with pytest.warns(UserWarning, match="RuntimeError: Cannot find a working triton installation"):
        assert not compile_in_place(Watched(), CPU)


@pytest.mark.usefixtures("_backend")
def test_an_error_in_validation_leaves_the_process_compiling(tmp_path: Path) -> None:
    class Failing(Steps):
        def validation_step(self, batch: Tensor) -> None:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fit(Failing(wanted=True), tmp_path)
    network = Watched()
    assert compile_in_place(network, CPU)
    network(torch.randn(2, 3, 8, 8))
    assert network.runs == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_compiles_by_itself_and_tries_convolutions_in_training_alone(tmp_path: Path) -> None:
    seen: list[tuple[bool, bool]] = []

    class Noting(Steps):
        def training_step(self, batch: Tensor) -> Tensor:
            seen.append((True, torch.backends.cudnn.benchmark))
            return super().training_step(batch)

        def validation_step(self, batch: Tensor) -> None:
            seen.append((False, torch.backends.cudnn.benchmark))
            super().validation_step(batch)

    module = Noting(wanted=None)
    loaders: list[Any] = [
        DataLoader([torch.randn(3, 8, 8)] * 6, batch_size=2),  # type: ignore[arg-type]
        DataLoader([torch.randn(3, 9, 9)], batch_size=1),  # type: ignore[arg-type]
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Trainer(
            accelerator="gpu",
            devices=1,
            default_root_dir=tmp_path,
            max_epochs=1,
            logger=False,
            num_sanity_val_steps=0,
            enable_checkpointing=False,
            enable_progress_bar=False,
        ).fit(module, *loaders)
    assert seen == [(True, True)] * 3 + [(False, False)]
    assert not torch.backends.cudnn.benchmark
    assert module.network.runs == 1
