"""Multigrain as DISC21 measures it: a classification network's descriptors, whitened.

Berman et al., "MultiGrain: a unified image embedding for classes and instances" (2019); DISC21
paper, section 5.1: ResNet50, 2048 dimensions, PCA whitening to 1500, then L2.
"""

from sscd.baselines.vector_system import Describe, VectorSystem
from sscd.data.stopwatch import Stopwatch
from sscd.search.options import Device
from sscd.search.postprocessing.neighbourhood import Neighbourhood

DIMS = 1500
NORM = Neighbourhood(2.0, 9, 9)
"""(β, n) = (2, 10) (DISC21 paper, section 5.2)."""


def multigrain_dims(channels: int, *, training: int) -> int:
    """Dimensions of the whitened descriptor: 1500, or what smaller sets and networks give.

    Args:
        channels: Length of the network's own descriptor.
        training: Training pictures. N of them, less their mean, span N - 1 dimensions; whitening
            would stretch the N-th, in which they do not differ, until it drowns all others.
    """
    return max(min(DIMS, channels, training - 1), 1)


def multigrain_system(
    describe: Describe,
    *,
    dims: int,
    hardware: str,
    fewer: bool = False,
    device: Device = "auto",
    watch: Stopwatch | None = None,
) -> VectorSystem:
    """Multigrain behind the one interface.

    Args:
        describe: Pictures → the network's own descriptors.
        dims: Dimensions after whitening.
        hardware: What `describe` runs on.
        fewer: As for `VectorSystem`.
        device: Where the search runs.
        watch: As for `VectorSystem`.
    """
    return VectorSystem(
        "Multigrain",
        describe,
        dims=dims,
        norm=NORM,
        hardware=hardware,
        projection="whiten",
        fewer=fewer,
        device=device,
        watch=watch,
    )
