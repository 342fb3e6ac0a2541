"""A running average of the weights, which describes in the place of the last step's.

Steps of a constant rate leave weights that wander about a minimum; their mean lies nearer to it
(Polyak and Juditsky, SIAM J. Control Optim. 1992). This is the exponential mean of Tarvainen and
Valpola, "Mean teachers are better role models" (NeurIPS 2017, arXiv 1703.01780), equation 1.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from sscd.terminal import warn

_NETWORK = "network."
_TRAINED = "training_network."


@dataclass(frozen=True)
class AverageConfig:
    """Whether the average of the weights describes, rather than those of the last step.

    The training itself goes on with its own weights; validation, `best.ckpt` and whatever reads a
    checkpoint take the average, in which a checkpoint holds the network twice. A resumed training
    may turn this on, where the average begins then, or off, where it is dropped.

    Attributes:
        decay: How much of the average a step leaves, 0 to below 1, as in 0.999; 0 turns it off. The
            n-th step leaves `n / (n + 9)` at most, so that short trainings do not average in their
            random start.
    """

    decay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise ValueError(f"average.decay got {self.decay}; expected 0 to below 1")

    def decay_at(self, step: int) -> float:
        """How much of the average is left by a step, counted from 1.

        >>> [AverageConfig(decay=0.9).decay_at(step) for step in (1, 9, 81, 1000)]
        [0.1, 0.5, 0.9, 0.9]
        """
        return min(self.decay, step / (step + 9))

    def as_record(self) -> dict[str, Any] | None:
        """The settings in plain values; None where it is off."""
        return asdict(self) if self.decay else None


class WeightAverage(Callback):
    """Averages a network's weights step by step, and lets the average be validated and saved.

    Statistics of batch norm are averaged with the weights: the last step's are of activations that
    the averaged weights do not have. Each rank averages its own, whose weights are equal on all;
    statistics that are not are validated and saved as rank 0 has them.

    Args:
        network: What is trained; the module that is fitted has it as `network`.
        config: With a decay above 0.
    """

    def __init__(self, network: nn.Module, config: AverageConfig) -> None:
        self.config = config
        self._network = network
        self._resumed: dict[str, Tensor] = {}
        self._average: dict[str, Tensor] = {}
        self._live: dict[str, Tensor] = {}  # the network's own, without a gradient
        self._trained: dict[str, Tensor] = {}  # kept aside while the average is in their place
        self._step = 0

    def resume(self, average: dict[str, Tensor]) -> None:
        """Go on with the average of a checkpoint, by the network's own names."""
        self._resumed = average

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the weights that are there, or go on with the checkpoint's average."""
        self._trained, self._live = {}, self._network.state_dict()
        self._average = {
            name: _precise(self._resumed.get(name, value).to(value.device, copy=True))
            for name, value in self._live.items()
        }
        self._resumed, self._step = {}, trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take a step of the optimiser into the average."""
        if trainer.global_step != self._step:
            self._step = trainer.global_step
            self._take(1 - self.config.decay_at(self._step))

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the average be validated."""
        if trainer.state.fn == TrainerFn.FITTING:
            self._show()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on with the weights that are trained."""
        if self._trained and trainer.state.fn == TrainerFn.FITTING:
            _copy(self._trained, self._live)
            self._trained = {}

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the network as its checkpoint describes."""
        self._show()

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save the average as the network, and what is trained beside it."""
        state = checkpoint["state_dict"]
        trained = self._trained or self._live
        for name, average in self._average.items():
            state[_TRAINED + name] = trained[name]
            state[_NETWORK + name] = average.to(trained[name].dtype)

    @torch.no_grad()
    def _take(self, share: float) -> None:
        floats = [name for name, value in self._average.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self._average[name] for name in floats],
            [_precise(self._live[name]) for name in floats],
            share,
        )
        for name in self._average.keys() - set(floats):  # counts of batches
            self._average[name].copy_(self._live[name])

    def _show(self) -> None:
        if self._average and not self._trained:
            # What is made in inference mode could not be trained on later.
            with torch.inference_mode(False):
                self._trained = {name: value.clone() for name, value in self._live.items()}
            _copy(self._average, self._live)


def fit_average(state: dict[str, Tensor], average: WeightAverage | None) -> None:
    """Make a checkpoint's weights those that are trained, and give its average to who goes on.

    Args:
        state: The checkpoint's state dict, changed in place.
        average: What averages in the resumed training, if anything does.
    """
    saved = [key for key in state if key.startswith(_TRAINED)]
    trained = {key.removeprefix(_TRAINED): state.pop(key) for key in saved}
    if trained and average is None:
        rank_zero_only(warn)(
            "the checkpoint has an average of the weights, and model.average.decay is 0: the "
            "training goes on without it"
        )
    if average is not None:
        average.resume({name: state[_NETWORK + name] for name in trained})
    state.update({_NETWORK + name: value for name, value in trained.items()})


def _precise(value: Tensor) -> Tensor:
    """In float32 where it is a float: half precision rounds small steps away."""
    return value.float() if value.is_floating_point() else value


@torch.no_grad()
def _copy(values: dict[str, Tensor], into: dict[str, Tensor]) -> None:
    for name, value in into.items():
        value.copy_(values[name])
