"""What a descriptor network is made of, and how it sees a picture that it describes."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from sscd.models.backbones import check_backbone, has_class_token, has_stages

PoolingName = Literal["gem", "avg", "cls", "attention"]
HeadName = Literal["linear", "none"]
_SCALES = (0.1, 10.0)


@dataclass(frozen=True)
class NetworkConfig:
    """What a descriptor network is made of.

    Attributes:
        backbone: A ResNet, ResNeXt, Wide ResNet, EfficientNet, ConvNeXt or ViT by torchvision's
            name, or `timm/` and the name of one of timm's.
        dims: Length of the descriptor; track 2 admits at most 256, SSCD publishes 512.
        gem_p: Exponent of the generalised-mean pooling; where it is learnt, that of the start.
        pooling: `gem` as published, which drops negative activations; `avg` for the mean of all;
            `cls` for a transformer's class token alone; `attention` for smoothed activations
            weighted by their norm, as in HOW.
        head: `linear` to `dims`; `none` for the pooled channels themselves, as in Multigrain, with
            `dims` their number.
        gem_p_inference: Exponent of the pooling when pictures are described; `gem_p` if null.
        last_stage: The stage, 1 to 4, whose map is pooled; other than 4 of ResNets only.
        gem_p_learnt: Train that exponent with the network, at least 1 and without weight decay.
        scales: Sizes at which pictures are described, times their sides, as in `[1, 1.4]`: 1 as
            they are, others rounded up to multiples of 16 pixels; the descriptor is the normalised
            mean. Each scale costs a pass through the network over scale² as many pixels.
        mirror: When pictures are described, take the mean with their mirror images, which doubles
            the cost.
    """

    backbone: str = "resnet50"
    dims: int = 256
    gem_p: float = 3.0
    pooling: PoolingName = "gem"
    head: HeadName = "linear"
    gem_p_inference: float | None = None
    last_stage: int = 4
    gem_p_learnt: bool = False
    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False

    def __post_init__(self) -> None:
        check_backbone(self.backbone)
        # A list in JSON; equal networks shall have equal settings.
        object.__setattr__(self, "scales", tuple(map(float, self.scales)))
        if self.dims < 1:
            raise ValueError(f"dims got {self.dims}; expected at least 1")
        self._check_pooling()
        self._check_scales()
        if self.head not in get_args(HeadName):
            raise ValueError(f"head got {self.head!r}; expected linear or none")
        if self.last_stage not in (1, 2, 3, 4):
            raise ValueError(f"last_stage got {self.last_stage}; expected 1 to 4")
        if self.last_stage != 4 and not has_stages(self.backbone):
            raise ValueError(
                f"last_stage got {self.last_stage}, and {self.backbone} is no ResNet; expected 4"
            )

    def _check_pooling(self) -> None:
        for name in ("gem_p", "gem_p_inference"):
            exponent = getattr(self, name)
            if exponent is not None and not 0 < exponent < math.inf:
                raise ValueError(f"{name} got {exponent}; expected a number above 0")
        if self.pooling not in get_args(PoolingName):
            raise ValueError(f"pooling got {self.pooling!r}; expected gem, avg, cls or attention")
        if self.pooling == "cls" and not has_class_token(self.backbone):
            raise ValueError(
                f"pooling got cls, and {self.backbone} has no class token; expected gem or avg"
            )
        if self.gem_p_inference is not None and self.pooling != "gem":
            raise ValueError(
                f"gem_p_inference got {self.gem_p_inference}, and pooling is {self.pooling}; "
                "expected null, or pooling gem"
            )
        if self.gem_p_learnt and (self.pooling != "gem" or self.gem_p < 1):
            raise ValueError(
                f"gem_p_learnt got true, with pooling {self.pooling} and gem_p {self.gem_p}; "
                "expected pooling gem, and an exponent of at least 1 to start from"
            )

    def _check_scales(self) -> None:
        low, high = _SCALES
        within = all(low <= scale <= high for scale in self.scales)
        if not self.scales or len(set(self.scales)) < len(self.scales) or not within:
            raise ValueError(
                f"scales got {list(self.scales)}; expected different numbers from {low} to {high}"
            )

    @property
    def sees_as_given(self) -> bool:
        """Whether pictures are described as they are, at one scale and not mirrored."""
        return self.scales == (1.0,) and not self.mirror
