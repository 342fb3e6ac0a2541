"""Small sets of pictures to describe, and what must come out."""

import dataclasses
from pathlib import Path

import numpy as np

from sscd.data.descriptors import Descriptors
from sscd.data.pictures.sources import PictureSource, open_pictures
from sscd.describing.output import Output
from sscd.describing.request import DescribeRequest
from tests.data.noise import write_pictures
from tests.models.networks import small_spec


def photos(root: Path, *, count: int = 10) -> PictureSource:
    write_pictures(root, count)
    return open_pictures(str(root), name="pictures")


def request_of(source: PictureSource, *, partition: int = 4, seed: int = 0) -> DescribeRequest:
    return DescribeRequest.of(source, small_spec(seed=seed), partition=partition)


def output_of(source: PictureSource, out: Path | str, *, partition: int = 4) -> Output:
    return Output(str(out), request_of(source, partition=partition))


def files(out: Path) -> dict[str, bytes]:
    """All files below a directory, hidden ones included."""
    return {path.name: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def check_same(got: Descriptors, expected: Descriptors, *, bits: bool = True) -> None:
    """The same ids in the same order, with the same vectors, of the same origin."""
    assert list(got.ids) == list(expected.ids)
    assert dataclasses.astuple(got.origin) == dataclasses.astuple(expected.origin)
    a, b = np.asarray(got.vectors), np.asarray(expected.vectors)
    if bits:
        np.testing.assert_array_equal(a, b)
    else:
        np.testing.assert_allclose(a, b, atol=1e-6)
