"""Describing pictures of mixed sizes."""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def describe(network: nn.Module, pictures: Sequence[Tensor], *, device: torch.device) -> Tensor:
    """Descriptors of pictures that need not share a size.

    Pictures of one size go through the network together, the others in batches of their own.

    Args:
        network: (B, 3, H, W) uint8 → (B, D).
        pictures: Tensors (3, H, W) uint8 RGB.
        device: Where the network is.

    Returns:
        (len(pictures), D) in the order of `pictures`.
    """
    places: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, picture in enumerate(pictures):
        places[tuple(picture.shape)].append(place)
    described: list[Tensor] = []
    order: list[int] = []
    for group in places.values():
        batch = torch.stack([pictures[place] for place in group])
        described.append(network(batch.to(device, non_blocking=True)))
        order.extend(group)
    joined = torch.cat(described)
    return joined[torch.argsort(torch.tensor(order, device=joined.device))]
