"""A network that is compiled for training steps, in place, and runs as it is elsewhere."""

import warnings
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn


class FastSteps(Callback):
    """Compiles the network for training, and lets cuDNN look for its fastest convolutions.

    Both are worth their time for the one size of training views, or the few of `data.progression`
    and `data.local`. Validation pictures may have any size, and each would be compiled and tried
    out anew: there the network runs as it is.

    `torch.compile` works in place (`nn.Module.compile`), so that the keys of a checkpoint stay.

    Args:
        network: What to compile.
        wanted: Whether to compile; null does so on a GPU, where it usually pays. On a CPU the
            compilation takes longer than short trainings win by it.
    """

    def __init__(self, network: nn.Module, *, wanted: bool | None) -> None:
        self._network = network
        self._wanted = wanted
        self._compiled = False
        self._tries = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Compile, where it is wanted and possible."""
        device = trainer.strategy.root_device
        if stage != "fit":
            return
        # Trying convolutions out is not repeatable, which some ask for.
        self._tries = device.type == "cuda" and not torch.backends.cudnn.deterministic
        wanted = device.type == "cuda" if self._wanted is None else self._wanted
        if wanted and not self._compiled:
            self._compiled = compile_in_place(self._network, device)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on steps are of one size."""
        self._switch(on=True)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Pictures of any size come."""
        self._switch(on=False)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Steps go on."""
        self._switch(on=True)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Leave the process as it was."""
        self._leave()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Leave the process as it was; Lightning tears nothing down then."""
        self._leave()

    def _leave(self) -> None:
        if self._compiled:
            torch.compiler.set_stance("default")
        if self._tries:
            torch.backends.cudnn.benchmark = False

    def _switch(self, *, on: bool) -> None:
        if self._compiled:
            torch.compiler.set_stance("default" if on else "force_eager")
        if self._tries:
            torch.backends.cudnn.benchmark = on


def compile_in_place(network: nn.Module, device: torch.device) -> bool:
    """Let calls of a network run compiled code, made when it is first called.

    Args:
        network: What to compile; its parameters and their names stay.
        device: Where it will run.

    Returns:
        Whether it is compiled; without a working compiler it is not, and a warning says why.
    """
    if (obstacle := _obstacle(device)) is not None:
        warnings.warn(
            f"torch.compile does not work on this machine ({obstacle}), so the network trains "
            "uncompiled; model.compile false leaves this warning out",
            stacklevel=2,
        )
        return False
    network.compile()
    return True


def _obstacle(device: torch.device) -> str | None:
    """Why nothing can be compiled, in one line; None where it works."""
    try:
        _probe(torch.ones(8, device=device))
    except Exception as error:  # whatever a compiler that is not there or too old raises
        cause = getattr(error, "inner_exception", error)  # torch's own wrapping says little
        first = next(iter(str(cause).strip().splitlines()), "")
        return f"{type(cause).__name__}: {first}"
    return None


def _probe(values: torch.Tensor) -> Any:
    return torch.compile(_double)(values)


def _double(values: torch.Tensor) -> torch.Tensor:
    return values * 2 + 1
