"""The adversarial edit: a picture changed a little so that a network no longer knows it.

DISC21 paper, appendix A.3. It minimises

    L = w·‖x − y‖² − (1 − w)·‖f(x) − f(T(y))‖²        (equation 3)
    y = N(SSIM(z, x), x, p)                             (equations 4 and 5)

over a latent picture z by Adam, with another random transformation T in each step.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sscd.attacks.psnr import fit_psnr, project_psnr
from sscd.attacks.ssim import SSIMTo
from sscd.attacks.transformations import Transformation, random_transformation
from sscd.augment.seeds import view_rng

Describe = Callable[[Sequence[Tensor]], Tensor]
"""Pictures (1, 3, H, W), floats from 0 to 255 and of any sizes → descriptors (B, D)."""

_UNIT = 255 * (0.229 + 0.224 + 0.225) / 3
"""Levels of a normalised pixel: the deviation of ImageNet's pixels, the mean of the channels."""


@dataclass(frozen=True)
class AttackConfig:
    """How pictures are attacked.

    Attributes:
        psnr: What the finished pictures have, dB.
        steps: Of Adam.
        lr: Its learning rate, in normalised pixels as networks read them; .05 is 2.9 of 255
            levels.
        weight: w, the share of the pixels' difference in the loss.
        seed: Of the transformations and of where z begins.
    """

    psnr: float = 40.0
    steps: int = 100
    lr: float = 0.05
    weight: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 5 <= self.psnr <= 60:
            raise ValueError(f"psnr got {self.psnr}; expected 5 to 60 dB")
        if self.steps < 1:
            raise ValueError(f"steps got {self.steps}; expected at least 1")
        if not (self.lr > 0 and math.isfinite(self.lr)):
            raise ValueError(f"lr got {self.lr}; expected a finite number above 0")
        if not 0 <= self.weight < 1:
            raise ValueError(f"weight got {self.weight}; expected 0 or more, and below 1")
        if self.seed < 0:
            raise ValueError(f"seed got {self.seed}; expected 0 or more")


def attack_pictures(
    describe: Describe,
    pictures: Sequence[Tensor],
    ids: Sequence[str],
    config: AttackConfig,
    *,
    transformation: Callable[[np.random.Generator], Transformation] = random_transformation,
) -> list[Tensor]:
    """Change pictures so that their descriptors move away from what they were.

    Equation 5 gives the difference its norm exactly, so the first term of the loss, the mean of
    its squares in normalised pixels, is constant but for pixels that are clipped at black or white.
    At z = x equation 5 is not defined: z begins at noise of the size of the first step.

    All random numbers of a picture follow from the seed and its id. In another batch its result
    differs by the rounding of the network only, which Adam's steps make larger where a gradient is
    next to nothing.

    Args:
        describe: f, the network that is attacked, in evaluation mode.
        pictures: B tensors (3, H, W) uint8 of any sizes, on the network's device.
        ids: What each is called.
        config: How.
        transformation: Draws a T.

    Returns:
        The finished pictures, B tensors (3, H, W) uint8, as near to the PSNR as their pixels allow
        (`fit_psnr`).

    Raises:
        ValueError: There are not as many ids as pictures.
    """
    if len(ids) != len(pictures):
        raise ValueError(f"got {len(ids)} ids of {len(pictures)} pictures; expected one each")
    latents = [
        _Latent(picture[None], image_id, config)
        for picture, image_id in zip(pictures, ids, strict=True)
    ]
    with torch.no_grad():
        originals = describe([latent.original for latent in latents]).detach()
    changes = [latent.change for latent in latents]
    optimizer = torch.optim.Adam(changes, lr=config.lr)
    for step in range(config.steps):
        drawn = [transformation(latent.rng(step)) for latent in latents]
        changed = [latent.picture() for latent in latents]
        moved = (originals - describe([t(y) for t, y in zip(drawn, changed, strict=True)])).square()
        pixels = [latent.difference(y) for latent, y in zip(latents, changed, strict=True)]
        # The sum: no picture's gradient may depend on how many others there are.
        loss = config.weight * torch.stack(pixels).sum() - (1 - config.weight) * moved.sum()
        # Of the changes alone: a network in training keeps its own gradients.
        gradients = torch.autograd.grad(loss, changes)
        for change, gradient in zip(changes, gradients, strict=True):
            change.grad = gradient
        optimizer.step()
    return [latent.finished()[0] for latent in latents]


class _Latent:
    """One picture with its latent change, in normalised pixels."""

    def __init__(self, picture: Tensor, image_id: str, config: AttackConfig) -> None:
        self.uint8 = picture
        self.original = picture.float()
        self.image_id = image_id
        self.config = config
        self._similarity = SSIMTo(self.original)
        noise = self.rng(-1).standard_normal(picture.shape, dtype=np.float32) * config.lr
        self.change = torch.from_numpy(noise).to(picture.device).requires_grad_()

    def rng(self, step: int) -> np.random.Generator:
        """The random numbers of a step."""
        return view_rng(seed=self.config.seed, epoch=step, image_id=self.image_id, view=0)

    def picture(self) -> Tensor:
        """Y."""
        return self._unclipped().clamp(0, 255)

    def difference(self, changed: Tensor) -> Tensor:
        """‖x − y‖², as the mean of the squares."""
        return ((changed - self.original) / _UNIT).square().mean()

    @torch.no_grad()
    def finished(self) -> Tensor:
        """Y in whole pixels."""
        return fit_psnr(self._unclipped(), self.uint8, self.config.psnr)

    def _unclipped(self) -> Tensor:
        latent = self._similarity.attenuate(self.original + _UNIT * self.change)
        return project_psnr(latent, self.original, self.config.psnr)
