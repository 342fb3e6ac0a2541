from pathlib import Path

import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.ids import id_bytes, misplaced_ids, pack_ids, repeated_ids, unfit_ids

P = Path("f.h5")


def test_ids_are_packed() -> None:
    packed = pack_ids(P, "query_ids", id_bytes(["Q1", "Q200"]))
    assert (packed.tolist(), packed.dtype) == ([b"Q1", b"Q200"], np.dtype("S4"))
    assert pack_ids(P, "query_ids", []).dtype == np.dtype("S1")
    assert id_bytes(np.array([b"a", b"bc"])) == [b"a", b"bc"]


@pytest.mark.parametrize("item", ["", "é", "a\0", "\0", "\ud800", "x" * 1025])
def test_unfit_ids(item: str) -> None:
    (problem,) = unfit_ids(P, "query_ids", id_bytes(["Q1", item, "Q2"]))
    assert problem.text.startswith("f.h5: query_ids row 1 is ")
    assert len(problem.text) < 200
    with pytest.raises(UserError, match="query_ids row 1"):
        pack_ids(P, "query_ids", id_bytes(["Q1", item]))


def test_every_id_out_of_order_is_named() -> None:
    ids = np.array([b"a", b"c", b"b", b"d", b"a", b"a"])
    assert [problem.text for problem in misplaced_ids(P, "ids", ids)] == [
        "f.h5: ids row 2: b follows c; sort the rows by id",
        "f.h5: ids row 4: a follows d; sort the rows by id",
    ]
    assert [problem.text for problem in repeated_ids(P, "ids", ids)] == [
        "f.h5: ids row 4: a occurs twice, first in row 0; keep one",
        "f.h5: ids row 5: a occurs twice, first in row 4; keep one",
    ]
    for few in (ids[:0], ids[:2]):
        assert not [*misplaced_ids(P, "ids", few), *repeated_ids(P, "ids", few)]
