"""Settings of the objective: which loss, its margins, and the entropy with its weight's course."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sscd.losses.instance import Contrastive, InfoNCE, InstanceLoss, Margin
from sscd.losses.spread import LogDet, Nearest, Spread, Uniformity

LossName = Literal["info_nce", "contrastive", "margin"]
EntropyName = Literal["nearest", "uniformity", "log_det"]


@dataclass(frozen=True)
class ContrastiveConfig:
    """The contrastive loss, as HOW is trained.

    Attributes:
        margin: Distance beyond which a negative costs nothing; HOW takes 0.8.
        negatives: How many of an anchor's nearest negatives count; HOW takes 5.
    """

    margin: float = 0.8
    negatives: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.margin <= 2:
            raise ValueError(
                f"objective.contrastive.margin got {self.margin}; expected a distance of unit "
                "vectors, above 0 and at most 2"
            )
        if self.negatives < 1:
            raise ValueError(
                f"objective.contrastive.negatives got {self.negatives}; expected at least 1"
            )


@dataclass(frozen=True)
class MarginConfig:
    """The margin loss with distance-weighted negatives, as Multigrain is trained.

    Attributes:
        alpha: Positives should be closer than β − α, negatives farther than β + α.
        beta: β at the start; it is a distance.
        beta_rate: β learns at so many times the learning rate; 0 keeps it.
        nearest: In the draw of negatives, those that are nearer weigh as if they were so far.
        farthest: Negatives from this distance on are not drawn.
    """

    alpha: float = 0.2
    beta: float = 1.2
    beta_rate: float = 1.0
    nearest: float = 0.5
    farthest: float = 1.4

    def __post_init__(self) -> None:
        if self.alpha < 0 or self.beta_rate < 0:
            raise ValueError(
                f"objective.margin.alpha and beta_rate got {self.alpha} and {self.beta_rate}; "
                "expected 0 or more"
            )
        if not 0 < self.beta <= 2:
            raise ValueError(
                f"objective.margin.beta got {self.beta}; expected a distance of unit vectors, "
                "above 0 and at most 2"
            )
        if not 0 < self.nearest < self.farthest <= 2:
            raise ValueError(
                f"objective.margin.nearest and farthest got {self.nearest} and {self.farthest}; "
                "expected distances above 0 and at most 2, the first the smaller"
            )


@dataclass(frozen=True)
class ObjectiveConfig:
    """The loss that tells pictures apart, and how the weight λ of the entropy beside it grows.

    Attributes:
        loss: `info_nce` as in SSCD, `contrastive` as HOW is trained, or `margin` as Multigrain is.
        temperature: τ of InfoNCE.
        temperature_end: τ at the end of the training, which it reaches in half a cosine; null keeps
            it as it is.
        hardness: β of InfoNCE: a negative at cosine s weighs in proportion to e^(β s/τ), so that
            near strangers count more; 0 weighs all alike, 1 is much.
        contrastive: Settings of that loss.
        margin: Settings of that loss.
        entropy: What spreads the descriptors. `nearest` as in SSCD: each is pushed from its nearest
            stranger. `uniformity`: all pairs of strangers, near ones most (Wang and Isola 2020).
            `log_det`: all directions are used (coding rate, Yu et al. 2020). Each has λ of its own.
        entropy_weight: λ at full strength; 30 in the published recipe, 10 for anything new with
            InfoNCE, 0 as Multigrain and HOW are published.
        entropy_delay: Share of the training, 0 to 1, during which λ is 0: a small budget learns
            nothing while λ pulls from the first step.
        entropy_ramp: Share of the training over which λ then rises linearly to its full strength.
    """

    loss: LossName = "info_nce"
    temperature: float = 0.05
    temperature_end: float | None = None
    hardness: float = 0.0
    contrastive: ContrastiveConfig = ContrastiveConfig()
    margin: MarginConfig = MarginConfig()
    entropy: EntropyName = "nearest"
    entropy_weight: float = 10.0
    entropy_delay: float = 0.0
    entropy_ramp: float = 0.0

    def __post_init__(self) -> None:
        if self.loss not in get_args(LossName):
            raise ValueError(
                f"objective.loss got {self.loss!r}; expected {', '.join(get_args(LossName))}"
            )
        if self.entropy not in get_args(EntropyName):
            raise ValueError(
                f"objective.entropy got {self.entropy!r}; expected "
                f"{', '.join(get_args(EntropyName))}"
            )
        self._check_info_nce()
        if self.entropy_weight < 0:
            raise ValueError(f"entropy_weight got {self.entropy_weight}; expected 0 or more")
        if min(self.entropy_delay, self.entropy_ramp) < 0:
            raise ValueError("entropy_delay and entropy_ramp must not be negative")
        if self.entropy_delay + self.entropy_ramp > 1:
            raise ValueError(
                f"entropy_delay + entropy_ramp got {self.entropy_delay + self.entropy_ramp}; "
                "expected at most 1, the whole training"
            )

    def _check_info_nce(self) -> None:
        for name in ("temperature", "temperature_end"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} got {value}; expected a number above 0")
        if not 0 <= self.hardness < math.inf:
            raise ValueError(f"objective.hardness got {self.hardness}; expected 0 or more")
        for name, unused in (("temperature_end", None), ("hardness", 0)):
            if self.loss != "info_nce" and getattr(self, name) != unused:
                raise ValueError(
                    f"objective.{name} is of info_nce, and objective.loss got {self.loss}; leave "
                    f"{name} out"
                )

    @property
    def first_beta(self) -> float | None:
        """Where β starts if it is learnt; None where nothing is learnt beside the network."""
        learns = self.loss == "margin" and self.margin.beta_rate > 0
        return self.margin.beta if learns else None

    def as_record(self) -> dict[str, Any]:
        """The settings that are in force, in plain values."""
        others: dict[str, LossName] = {"contrastive": "contrastive", "margin": "margin"}
        others |= dict.fromkeys(("temperature", "temperature_end", "hardness"), "info_nce")
        values = dataclasses.asdict(self)
        return {key: values[key] for key in values if others.get(key, self.loss) == self.loss}

    def instance_loss(self, *, views: int, seed: int, progress: float = 0.0) -> InstanceLoss:
        """The loss of one step.

        Args:
            views: V, of a picture; a view has at least V − 1 positives.
            seed: Of what is drawn in this step, the same on every rank.
            progress: How much of the training is done, 0 to 1.
        """
        match self.loss:
            case "info_nce":
                return InfoNCE(self.temperature_at(progress), self.hardness)
            case "contrastive":
                return Contrastive(self.contrastive.margin, self.contrastive.negatives)
            case "margin":
                of = self.margin
                return Margin(
                    of.alpha, of.beta, of.nearest, of.farthest, most=max(1, views - 1), seed=seed
                )

    def spread(self) -> Spread:
        """The entropy."""
        match self.entropy:
            case "nearest":
                return Nearest()
            case "uniformity":
                return Uniformity()
            case "log_det":
                return LogDet()

    def temperature_at(self, progress: float) -> float:
        """τ when `progress` (0 to 1) of the training is done.

        >>> config = ObjectiveConfig(temperature=0.1, temperature_end=0.05)
        >>> [round(config.temperature_at(p), 4) for p in (0.0, 0.5, 1.0)]
        [0.1, 0.075, 0.05]
        """
        if self.temperature_end is None:
            return self.temperature
        left = (1 + math.cos(math.pi * progress)) / 2
        return self.temperature_end + left * (self.temperature - self.temperature_end)

    def entropy_weight_at(self, progress: float) -> float:
        """λ when `progress` (0 to 1) of the training is done.

        >>> config = ObjectiveConfig(entropy_weight=2.0, entropy_delay=0.4, entropy_ramp=0.2)
        >>> [config.entropy_weight_at(p) for p in (0.0, 0.4, 0.5, 0.6, 1.0)]
        [0.0, 0.0, 1.0, 2.0, 2.0]
        """
        if progress < self.entropy_delay:
            return 0.0
        if self.entropy_ramp == 0:
            return self.entropy_weight
        risen = (progress - self.entropy_delay) / self.entropy_ramp
        return self.entropy_weight * round(min(risen, 1.0), 12)
