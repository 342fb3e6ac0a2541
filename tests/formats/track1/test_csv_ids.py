from pathlib import Path

import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.track1.csv_ids import csv_fault, csv_ids

P = Path("out.csv")


def test_fit_ids_are_packed() -> None:
    ids = ["Q00001", "a b", "sub/x_1.jpg", "Z"]
    for given in (ids, np.array(ids, dtype="S11"), np.array(ids, dtype="S40")):
        assert csv_ids(P, "query id", given).tolist() == [i.encode() for i in ids]
    assert len(csv_ids(P, "query id", [])) == 0


@pytest.mark.parametrize(
    "item", ["", "a,b", 'a"b', "a\nb", "a\rb", "\ta", " a", "a ", "é", "a\x7f", "x" * 1025]
)
def test_unfit_ids_are_named_with_their_row(item: str) -> None:
    assert csv_fault(item.encode())
    for given in (["Q1", item], np.array([b"Q1", item.encode()])):
        with pytest.raises(UserError, match=r"out.csv: query id.* 1 is"):
            csv_ids(P, "query id", given)


def test_a_zero_byte_is_seen_in_arrays_too() -> None:
    for item in (b"a\0b", b"\0b"):
        with pytest.raises(UserError, match="pair 0 is"):
            csv_ids(P, "query id", np.array([item, b"Q1"]))
    with pytest.raises(UserError, match="row 0 is"):
        csv_ids(P, "query id", ["a\0"])
