"""Views that are attacked before the network learns from them, so that attacks buy less.

After Madry et al., "Towards deep learning models resistant to adversarial attacks" (ICLR 2018,
arXiv 1706.06083): a few steps along the normalised gradient, here on the sphere of an exact PSNR,
away from what the network makes of the view itself (DISC21 paper, A.3, equation 3 without T).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sscd.attacks.psnr import fit_psnr, scale_to_psnr
from sscd.models.descriptor import DescriptorNet

_REACH = 2.5
"""How far all steps together would go, in radii: the boundary is reached from anywhere within."""


@dataclass(frozen=True)
class AdversarialConfig:
    """Which views are attacked, and how.

    Attributes:
        share: Of a batch's pictures, one view of which is attacked; 0 for none. Of a rank's batch
            at least one picture is, unless this is 0.
        psnr: Lowest and highest PSNR of attacked views, dB, uniform between them.
        steps: Of the attack; each costs a pass through the network and back for those views.
    """

    share: float = 0.0
    psnr: tuple[float, float] = (30.0, 40.0)
    steps: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"adversarial share got {self.share}; expected 0 to 1")
        if len(self.psnr) != 2 or not 5 <= self.psnr[0] <= self.psnr[1] <= 60:
            raise ValueError(
                f"adversarial psnr got {list(self.psnr)}; expected two rising numbers, 5 to 60 dB"
            )
        if self.steps < 1:
            raise ValueError(f"adversarial steps got {self.steps}; expected at least 1")


def attack_views(
    network: DescriptorNet,
    views: Tensor,
    config: AdversarialConfig,
    *,
    seed: int,
    at_once: int | None = None,
) -> Tensor:
    """Put an attacked view in the place of one view of some pictures.

    The network is attacked as it describes, in evaluation mode: its running statistics stay, and
    nothing crosses the ranks. Parameters get no gradient. Nothing waits for the device.

    Args:
        network: In any mode, which it has again afterwards.
        views: (B, V, 3, S, S) uint8; left as they are.
        config: Which and how.
        seed: Of which pictures and views, of the PSNR of each, and of where the attack starts.
        at_once: Views that go through the network at once; None for all.

    Returns:
        (B, V, 3, S, S) uint8; `views` itself where none is attacked.
    """
    if not config.share:
        return views
    device = views.device
    generator = torch.Generator(device).manual_seed(seed)
    count = max(1, round(config.share * len(views)))
    # `randperm` may fetch from the device, and wait for it.
    rows = torch.rand(len(views), generator=generator, device=device).argsort()[:count]
    which = torch.randint(views.shape[1], (count,), generator=generator, device=device)
    low, high = config.psnr
    decibels = low + (high - low) * torch.rand(count, generator=generator, device=device)
    chosen = views[rows, which]
    start = torch.randn(chosen.shape, generator=generator, device=device)
    size = at_once or count
    with _evaluating(network):
        attacked = [
            _attack(network, *part, steps=config.steps)
            for part in zip(
                *(torch.split(drawn, size) for drawn in (chosen, start, decibels)), strict=True
            )
        ]
    return views.index_put((rows, which), torch.cat(attacked))


def _attack(
    network: DescriptorNet, views: Tensor, start: Tensor, decibels: Tensor, *, steps: int
) -> Tensor:
    """Attacked views (n, 3, S, S) uint8."""
    before = views.float()
    with torch.no_grad(), _uncached(views):
        described = _describe(network, before)
    change = scale_to_psnr(start, decibels)
    for _ in range(steps):
        latent = (before + change).requires_grad_()
        with torch.enable_grad(), _uncached(views):
            moved = (_describe(network, latent.clamp(0, 255)) - described).square().sum()
            # Of the views alone: hooks of the parameters, as those of DDP, must not see this.
            (gradient,) = torch.autograd.grad(moved, latent)
        stride = scale_to_psnr(_finite(gradient), decibels)
        change = scale_to_psnr(change + _REACH / steps * stride, decibels)
    return fit_psnr(before + change, views, decibels)


def _describe(network: DescriptorNet, pictures: Tensor) -> Tensor:
    described: Tensor = network((pictures - network.image_mean) / network.image_std)
    return described


def _finite(gradient: Tensor) -> Tensor:
    """A network that half precision overflows says nothing of a direction."""
    return torch.nan_to_num(gradient.float(), nan=0.0, posinf=0.0, neginf=0.0)


def _uncached(views: Tensor) -> torch.autocast:
    """The autocast in force, without its cache: weights cast here must not serve the step."""
    kind = views.device.type
    return torch.autocast(
        kind,
        dtype=torch.get_autocast_dtype(kind),
        enabled=torch.is_autocast_enabled(kind),
        cache_enabled=False,
    )


@contextlib.contextmanager
def _evaluating(network: DescriptorNet) -> Iterator[None]:
    """Let a network describe; each of its modules has its own mode again afterwards."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
