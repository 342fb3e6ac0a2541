import numpy as np
import pytest

from sscd.errors import UserError
from sscd.search.postprocessing.neighbourhood import Neighbourhood


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0[0,2]", Neighbourhood(1, 0, 2)),
        (" 2[9] ", Neighbourhood(2, 9, 9)),
        ("1e-1[ 3 , 4 ]", Neighbourhood(0.1, 3, 4)),
        ("0[0]", Neighbourhood(0, 0, 0)),
        ("0.12345678901234[0]", Neighbourhood(0.12345678901234, 0, 0)),
    ],
)
def test_reads_what_sscd_writes(text: str, expected: Neighbourhood) -> None:
    got = Neighbourhood.parse(text, option="--score_norm")
    assert got == expected
    assert Neighbourhood.parse(str(got), option="") == expected


@pytest.mark.parametrize(
    "text", ["", "1.0", "[0,2]", "1[2,0]", "-1[0]", "nan[0]", "inf[0]", "1[0,1,2]", "x[0]", "1[-1]"]
)
def test_refuses_everything_else_in_one_line(text: str) -> None:
    with pytest.raises(UserError, match=r"^--stretch .*ranks from 0") as caught:
        Neighbourhood.parse(text, option="--stretch")
    assert "\n" not in str(caught.value)


def test_means_over_ranks_by_hand() -> None:
    training = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    vectors = np.array([[0.6, 0.8], [-0.8, 0.6]], np.float32)
    first = Neighbourhood(1.0, 0, 1)
    assert first.find(vectors, training).tolist() == [[1, 0], [2, 1]]
    assert first.mean_similarity(vectors, training) == pytest.approx([0.7, 0.7])
    np.testing.assert_allclose(first.mean_descriptor(vectors, training), [[0.5, 0.5], [-0.5, 0.5]])
    last = Neighbourhood(1.0, 3, 3)
    assert last.find(vectors, training).tolist() == [[3], [0]]
    assert last.mean_similarity(vectors, training) == pytest.approx([-0.8, -0.8])


def test_many_rows_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from sscd.search.postprocessing import neighbourhood

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((23, 5)).astype(np.float32)
    training = rng.standard_normal((40, 5)).astype(np.float32)
    ranks = Neighbourhood(1.0, 0, 3)
    whole = ranks.mean_similarity(vectors, training), ranks.mean_descriptor(vectors, training)
    monkeypatch.setattr(neighbourhood, "_ROWS", 4)
    assert np.array_equal(ranks.mean_similarity(vectors, training), whole[0])
    assert np.array_equal(ranks.mean_descriptor(vectors, training), whole[1])
