"""One HDF5 file with all that searches: codebook, inverted files, and what pictures they are of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.augment.inference import InferenceSize
from sscd.baselines.how.codebook import Codebook
from sscd.baselines.how.inverted_file import InvertedFile
from sscd.errors import UserError
from sscd.files import atomic_path, check_space, remove_leftovers
from sscd.formats.track2.hdf5 import Attribute, attributes_of, reading_hdf5, writing_hdf5

FORMAT = "sscd inverted file"
VERSION = 1
_BESIDE = 1_000_000  # bytes of ids and of what HDF5 adds
_AGAIN = "index the references again"
_LISTS: Mapping[str, tuple[Any, int]] = {
    "offsets": (np.int64, 1),
    "images": (np.uint32, 1),
    "signatures": (np.uint64, 2),
}


@dataclass(frozen=True, eq=False)
class SavedIndex:
    """What the file holds.

    Attributes:
        codebook: The visual words.
        training: Training pictures, which scores are normalised by.
        references: What is searched.
        reference_ids: Its pictures.
        model: Fingerprint of the network that described them all.
        inference: How pictures were resized.
        features: The most of a picture.
        scales: Factors of a picture's sides.
    """

    codebook: Codebook
    training: InvertedFile
    references: InvertedFile
    reference_ids: Sequence[str]
    model: str
    inference: InferenceSize
    features: int
    scales: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, part in (("training", self.training), ("references", self.references)):
            if (part.words, part.dims) != (self.codebook.words, self.codebook.dims):
                raise ValueError(
                    f"{name} are of {part.words} words of {part.dims} bits, the codebook has "
                    f"{self.codebook.words} of {self.codebook.dims}"
                )
        if len(self.reference_ids) != self.references.count:
            raise ValueError(
                f"got {len(self.reference_ids)} ids of {self.references.count} references"
            )
        if self.features < 1 or not self.scales:
            raise ValueError(f"got features={self.features}, scales={self.scales}")


def write_index(path: Path, index: SavedIndex) -> None:
    """Write an index; the file appears only when complete.

    Raises:
        UserError: It cannot be written.
    """
    import h5py

    remove_leftovers(path)
    arrays = [getattr(part, own) for part in (index.training, index.references) for own in _LISTS]
    needed = _BESIDE + index.codebook.centroids.nbytes + sum(array.nbytes for array in arrays)
    check_space(path, needed)
    with atomic_path(path) as temporary, writing_hdf5(), h5py.File(temporary, "w") as file:
        file.attrs.update(
            {
                "format": FORMAT,
                "version": VERSION,
                "model": index.model,
                "size": index.inference.size,
                "mode": index.inference.mode,
                "features": index.features,
                "scales": " ".join(str(scale) for scale in index.scales),
            }
        )
        file["codebook"] = index.codebook.centroids
        file["reference_ids"] = np.array(index.reference_ids, dtype=np.bytes_)
        for name, part in (("training", index.training), ("references", index.references)):
            group = file.create_group(name)
            group.attrs["pictures"] = part.count
            for own in _LISTS:
                group[own] = getattr(part, own)


def read_index(path: Path) -> SavedIndex:
    """Read and check an index, all of it, to memory.

    Raises:
        UserError: There is no such file; it is truncated, of another kind or of another version; or
            what it holds does not fit together.
    """
    with reading_hdf5(path, what="an index that `sscd baseline how --index` wrote") as file:
        attributes = attributes_of(file)
        _check_kind(path, attributes)
        centroids = _array(path, file, "codebook", np.float32, 2)
        ids = _array(path, file, "reference_ids", np.bytes_, 1)
        parts = {
            name: {own: _array(path, file, f"{name}/{own}", *_LISTS[own]) for own in _LISTS}
            for name in ("training", "references")
        }
        counts = {name: int(file[name].attrs["pictures"]) for name in parts}
    try:
        codebook = Codebook(centroids)
        training, references = (
            InvertedFile(**parts[name], count=counts[name], dims=codebook.dims)
            for name in ("training", "references")
        )
        return SavedIndex(
            codebook=codebook,
            training=training,
            references=references,
            reference_ids=[item.decode("ascii") for item in ids.tolist()],
            model=str(attributes["model"]),
            inference=InferenceSize(attributes["size"], attributes["mode"]),  # type: ignore[arg-type]
            features=int(attributes["features"]),
            scales=tuple(float(scale) for scale in str(attributes["scales"]).split()),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}); {_AGAIN}") from error


def _check_kind(path: Path, attributes: Mapping[str, Attribute]) -> None:
    if attributes.get("format") != FORMAT:
        raise UserError(
            f"{path}: no index of local descriptors; give a file that `sscd baseline how --index` "
            "wrote"
        )
    if attributes.get("version") != VERSION:
        raise UserError(
            f"{path}: an index of version {attributes.get('version')}, and this sscd reads "
            f"{VERSION}; {_AGAIN}"
        )


def _array(path: Path, file: Any, name: str, dtype: Any, dimensions: int) -> NDArray[Any]:
    """A dataset of one type and number of dimensions, in memory and in native byte order."""
    import h5py

    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        raise UserError(f"{path}: {name} is missing; {_AGAIN}")
    same = found.dtype.kind == "S" if dtype is np.bytes_ else found.dtype == np.dtype(dtype)
    if not same or found.ndim != dimensions:
        raise UserError(
            f"{path}: {name} is {found.dtype} of shape {found.shape}; expected "
            f"{np.dtype(dtype).name} of {dimensions} dimensions; {_AGAIN}"
        )
    return np.asarray(found[()])
