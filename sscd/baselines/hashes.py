"""Perceptual hashes of other libraries (the extra `hashes`), as systems of the comparison."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sscd.baselines.picture_describer import PictureDescriber
from sscd.baselines.vector_system import VectorSystem
from sscd.data.descriptors import Origin
from sscd.data.skipped import SkipLog
from sscd.extras import missing_extra
from sscd.search.postprocessing.neighbourhood import Neighbourhood

HASH_NORM = Neighbourhood(weight=0.5, first=9, last=9)
"""As GIST, the baseline of the paper that is nearest in kind: none was published for hashes."""


@dataclass(frozen=True)
class PictureHash:
    """A hash of some library.

    Attributes:
        name: What it is called in tables.
        library: What computes it.
        bits: How many.
        function: Picture → (bits,) bool.
    """

    name: str
    library: str
    bits: int
    function: Callable[[Image.Image], NDArray[np.bool_]]


@dataclass(frozen=True)
class InstalledHashes:
    """The hashes that can be computed here.

    Attributes:
        hashes: Those whose library is installed.
        left_out: One line for each library that is not, with what installs it.
    """

    hashes: tuple[PictureHash, ...]
    left_out: tuple[str, ...]


def average_hash(image: Image.Image) -> NDArray[np.bool_]:
    """64 bits: whether a pixel of the 8×8 grey thumbnail is above the mean."""
    import imagehash

    return np.asarray(imagehash.average_hash(image).hash, dtype=np.bool_).ravel()


def difference_hash(image: Image.Image) -> NDArray[np.bool_]:
    """64 bits: whether a pixel of the 9×8 grey thumbnail is lighter than its left neighbour."""
    import imagehash

    return np.asarray(imagehash.dhash(image).hash, dtype=np.bool_).ravel()


def cosine_hash(image: Image.Image) -> NDArray[np.bool_]:
    """64 bits: whether a low frequency of the cosine transform is above the median (pHash)."""
    import imagehash

    return np.asarray(imagehash.phash(image).hash, dtype=np.bool_).ravel()


def wavelet_hash(image: Image.Image) -> NDArray[np.bool_]:
    """64 bits: whether a low-frequency Haar coefficient is above the median."""
    import imagehash

    return np.asarray(imagehash.whash(image).hash, dtype=np.bool_).ravel()


def pdq_hash(image: Image.Image) -> NDArray[np.bool_]:
    """256 bits: whether a low frequency of the cosine transform is above the median (PDQ)."""
    import pdqhash

    bits, _quality = pdqhash.compute(np.asarray(image))
    return np.asarray(bits, dtype=np.bool_)


HASHES = (
    PictureHash("aHash", "imagehash", 64, average_hash),
    PictureHash("dHash", "imagehash", 64, difference_hash),
    PictureHash("pHash", "imagehash", 64, cosine_hash),
    PictureHash("wHash", "imagehash", 64, wavelet_hash),
    PictureHash("PDQ", "pdqhash", 256, pdq_hash),
)
"""Every hash here, for tables."""


def installed_hashes() -> InstalledHashes:
    """The hashes that can be computed here, and why the others cannot."""
    hashes: list[PictureHash] = []
    left_out = []
    for library in dict.fromkeys(one.library for one in HASHES):
        own = [one for one in HASHES if one.library == library]
        if why := _unusable(library):
            left_out.append(f"{', '.join(one.name for one in own)}: {why}")
        else:
            hashes += own
    return InstalledHashes(tuple(hashes), tuple(left_out))


def _unusable(library: str) -> str | None:
    """Why a library cannot be used; None where it can."""
    if importlib.util.find_spec(library) is None:
        return missing_extra(library)
    try:
        importlib.import_module(library)
    except ImportError as error:  # half of it is installed
        return f"{library} cannot be imported: {error}; install it again"
    return None


def hash_system(one: PictureHash, *, workers: int, skipped: SkipLog | None = None) -> VectorSystem:
    """A hash as one vector a picture.

    Args:
        one: Its library is installed.
        workers: Processes that decode and hash.
        skipped: Where unreadable pictures are noted.
    """
    log = SkipLog() if skipped is None else skipped
    origin = Origin(model=f"{one.library} {one.name}")
    describer = PictureDescriber(one.function, bit_vectors, workers, origin, log)
    return VectorSystem(
        one.name,
        describer,
        dims=one.bits,
        norm=HASH_NORM,
        hardware=describer.hardware,
    )


def bit_vectors(bits: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Hashes as unit vectors, whose squared L2 distance is 4 / D times the Hamming distance.

    Args:
        bits: (B, D).

    Returns:
        (B, D) of ±D^(−1/2).
    """
    scale = np.float32(bits.shape[1] ** -0.5)
    return np.where(bits, scale, -scale)
