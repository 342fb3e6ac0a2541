"""Small views first, larger ones later: the side of training views in each epoch.

After Touvron et al., "Fixing the train-test resolution discrepancy" (NeurIPS 2019, arXiv
1906.06423), and Tan and Le, "EfficientNetV2" (ICML 2021, arXiv 2104.00298), section 4: a network
that has seen small pictures for most of a training loses little, and an epoch costs by the area.
"""

import itertools
from collections.abc import Sequence

Progression = Sequence[tuple[float, int]]
"""From which share of the training on (the first from 0, then rising) views have which side."""


def check_progression(progression: Progression, *, image_size: int) -> None:
    """Check the sizes of a training.

    Args:
        progression: None where all views are of `image_size`.
        image_size: Side of the views at the end, pixels.

    Raises:
        ValueError: It does not start at 0, rise, and end below 1 with `image_size`.
    """
    if not progression:
        return
    shares, sizes = zip(*progression, strict=True)
    rising = all(a < b for a, b in itertools.pairwise(shares))
    if shares[0] != 0 or not rising or not shares[-1] < 1:
        raise ValueError(
            f"progression got the shares {list(shares)}; expected 0 first, then rising ones below 1"
        )
    if min(sizes) < 1:
        raise ValueError(f"progression got the side {min(sizes)}; expected at least 1 pixel")
    if sizes[-1] != image_size:
        raise ValueError(
            f"progression ends with {sizes[-1]} px, image_size is {image_size}; give one of them "
            "the value of the other"
        )


def size_at(progression: Progression, epoch: int, epochs: float, *, image_size: int) -> int:
    """The side of views in an epoch, pixels.

    A size that starts amid an epoch is in force from the next one on.

    Args:
        progression: As `check_progression` has it.
        epoch: From 0 on.
        epochs: Of the whole training.
        image_size: Side where there is no progression.

    >>> sizes = [(0.0, 48), (0.5, 64)]
    >>> [size_at(sizes, epoch, 5, image_size=64) for epoch in range(5)]
    [48, 48, 48, 64, 64]
    """
    # Shares are decimals: .7 of 10 epochs is 7, and not a little more.
    begun = [size for share, size in progression if round(share * epochs, 6) <= epoch]
    return begun[-1] if begun else image_size
