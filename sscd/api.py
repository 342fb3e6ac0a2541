"""A trained network in three lines: load it, describe pictures, compare them.

Example:
    >>> from sscd import Descriptor
    >>> from pathlib import Path
    >>> Descriptor.load(Path("none.safetensors"))
    Traceback (most recent call last):
    ...
    sscd.errors.UserError: none.safetensors does not exist; name a checkpoint or package
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sscd.augment.inference import InferenceSize
from sscd.data.given import GivenPictures, Picture, listed
from sscd.data.pictures.groups import dealt_batches
from sscd.errors import UserError
from sscd.models.box.model import load_box
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.described import DescribingLoader
from sscd.models.describer import DeviceName, choose_device
from sscd.models.fingerprint import network_fingerprint
from sscd.models.loading import load_network

Rows: TypeAlias = NDArray[np.float32]

_FOR_OTHER_PROGRAMS = {".onnx": "ONNX Runtime", ".pt2": "torch.export"}


class Descriptor:
    """A trained network that describes pictures, made by `Descriptor.load`.

    Several threads may use one at once: describing changes nothing in it. Processes each load
    their own.

    Args:
        trained: The network, with how its pictures are resized and what is known of it.
        device: Where it runs.

    Example:
        d = Descriptor.load("best.ckpt")
        rows = d.describe(["a.jpg", "b.jpg"])
        similarity = d.similarity(rows, "c.jpg")
    """

    def __init__(self, trained: TrainedNetwork, *, device: DeviceName = "auto") -> None:
        self.device = choose_device(device)
        self._network = trained.network.to(self.device).eval()
        self._trained = trained
        self.fingerprint: str = network_fingerprint(self._network)
        """64 bits over the architecture and the weights, as in descriptor files."""

    @classmethod
    def load(
        cls, path: str | os.PathLike[str] | None = None, *, device: DeviceName = "auto"
    ) -> Self:
        """Load a network.

        Args:
            path: A checkpoint of `sscd train`, what `sscd export --model-only` wrote as
                safetensors, or published SSCD weights; by default the model that comes with sscd.
            device: "auto" takes a GPU where there is one.

        Raises:
            UserError: There is no such file or device, or the file cannot be used.
        """
        if path is None:
            return cls(load_box(), device=device)
        file = Path(path)
        if not file.is_file():
            what = "is a directory" if file.is_dir() else "does not exist"
            raise UserError(f"{file} {what}; name a checkpoint or package")
        if program := _FOR_OTHER_PROGRAMS.get(file.suffix.lower()):
            raise UserError(
                f"{file} is for {program} (docs/deploy.md); load the checkpoint that it was made "
                "of, or export that as safetensors"
            )
        return cls(load_network(file), device=device)

    @property
    def dims(self) -> int:
        """Length of a descriptor."""
        return self._network.dims

    @property
    def inference(self) -> InferenceSize:
        """How pictures are resized."""
        return self._trained.inference

    @property
    def threshold(self) -> float | None:
        """The similarity from which two pictures are copies, at 90 % precision.

        It holds for collections of about the size it was learnt on; None where the file names none.
        """
        known = self._trained.threshold
        return None if known is None else known.similarity

    def describe(
        self,
        pictures: Picture | Iterable[Picture],
        *,
        batch_size: int = 64,
        workers: int = 0,
        unreadable: Literal["raise", "nan"] = "raise",
    ) -> Rows:
        """Describe pictures, as `sscd describe` does.

        Pictures are turned upright, and transparency is laid over white. JPEG files are decoded at
        a reduced scale where they are much larger than is needed; pictures that were opened
        elsewhere were not, and their descriptors may differ a little from their files'.

        Args:
            pictures: One, or several in any mixture: paths, bytes of files, PIL pictures, or uint8
                arrays (H, W, 3) or (H, W). An array (n, H, W, 3) is n pictures.
            batch_size: Pictures that go through the network at once.
            workers: Processes that decode; 0 decodes in this one, which is right for a few.
            unreadable: What becomes of pictures that cannot be read: an error that names the first,
                or a row of NaN.

        Returns:
            (n, D) float32 rows of norm 1, in the order given; one picture gives one row.

        Raises:
            UserError: A picture cannot be read, or is a directory.
            TypeError: Something is no picture.
            ValueError: An array has another shape or type, or an option is out of range.
        """
        if batch_size < 1 or workers < 0:
            raise ValueError(
                f"got batch_size={batch_size}, workers={workers}; expected at least 1 and 0"
            )
        if unreadable not in ("raise", "nan"):
            raise ValueError(f"unreadable got {unreadable!r}; expected 'raise' or 'nan'")
        given = GivenPictures(listed(pictures), self.inference)
        rows = np.full((len(given), self.dims), np.nan, dtype=np.float32)
        loader = DescribingLoader(self._network, given, device=self.device, workers=workers)
        order = dealt_batches(range(len(given)), size=batch_size, workers=workers)
        for batch in loader(order):
            if batch.unreadable and unreadable == "raise":
                first = batch.unreadable[0]
                raise UserError(
                    f"cannot read {first.path}: {first.reason}; leave it out, or pass "
                    "unreadable='nan'"
                )
            rows[batch.positions] = batch.vectors
        return rows

    def similarity(
        self,
        a: Rows | Picture | Iterable[Picture],
        b: Rows | Picture | Iterable[Picture],
    ) -> Rows:
        """The cosine between each of `a` and each of `b`.

        Args:
            a: n pictures, or their descriptors (n, D) or (D,).
            b: m pictures, or their descriptors.

        Returns:
            (n, m) float32 from −1 to 1; NaN beside descriptors that are NaN.

        Raises:
            UserError: A picture cannot be read.
            ValueError: Descriptors are not of this network's length.
        """
        left, right = self._rows(a), self._rows(b)
        return np.asarray(np.clip(left @ right.T, -1, 1), dtype=np.float32)

    def is_copy(
        self,
        a: Rows | Picture | Iterable[Picture],
        b: Rows | Picture | Iterable[Picture],
        *,
        threshold: float | None = None,
    ) -> NDArray[np.bool_]:
        """Whether each of `a` and each of `b` are copies of one another.

        Args:
            a: n pictures, or their descriptors, as for `similarity`.
            b: m pictures, or their descriptors.
            threshold: The similarity from which they are; by default `self.threshold`.

        Returns:
            (n, m) bool.

        Raises:
            UserError: No threshold is known, or a picture cannot be read.
        """
        least = self.threshold if threshold is None else threshold
        if least is None:
            raise UserError(
                "this network names no threshold; pass threshold=SIMILARITY, or export it with "
                "--calibration"
            )
        return np.asarray(self.similarity(a, b) >= least)

    def _rows(self, given: Rows | Picture | Iterable[Picture]) -> Rows:
        """Rows of norm 1: descriptors that were given, or those of pictures."""
        if not (isinstance(given, np.ndarray) and given.dtype.kind == "f"):
            return self.describe(given)
        rows = np.atleast_2d(given)
        if rows.ndim != 2 or rows.shape[1] != self.dims:
            raise ValueError(f"got descriptors {given.shape}; expected (n, {self.dims})")
        norms = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
        unit = rows / np.maximum(norms, np.finfo(np.float32).tiny)
        return np.asarray(unit, dtype=np.float32)
