"""GIST as a system of the comparison."""

from typing import Literal, get_args

from sscd.baselines.gist.descriptor import DIMS, SIDE, gist
from sscd.baselines.gist.resizing import crop_for_gist
from sscd.baselines.picture_describer import PictureDescriber
from sscd.baselines.vector_system import VectorSystem
from sscd.data.descriptors import Origin
from sscd.data.skipped import SkipLog
from sscd.search.postprocessing.neighbourhood import Neighbourhood

GistDims = Literal[960, 256]

GIST_NORM = Neighbourhood(weight=0.5, first=9, last=9)
"""(β, n) = (0.5, 10): DISC21 paper, section 5.2."""


def gist_system(*, dims: GistDims, workers: int, skipped: SkipLog | None = None) -> VectorSystem:
    """GIST as it is (960 values), or by PCA to 256 and L2-normalised (DISC21 paper, section 5.1).

    Args:
        dims: Of the descriptor.
        workers: Processes that decode.
        skipped: Where unreadable pictures are noted.

    Raises:
        ValueError: `dims` is neither.
    """
    if dims not in get_args(GistDims):
        raise ValueError(f"dims got {dims}; expected one of {get_args(GistDims)}")
    describer = PictureDescriber(
        crop_for_gist,
        gist,
        workers=workers,
        origin=Origin(model="lear_gist 1.2", preprocessing=f"{SIDE} center_crop"),
        skipped=SkipLog() if skipped is None else skipped,
    )
    whole = dims == DIMS
    return VectorSystem(
        "GIST 960" if whole else "GIST, PCA 256",
        describer,
        dims=dims,
        norm=GIST_NORM,
        hardware=describer.hardware,
        projection=None if whole else "pca",
    )
