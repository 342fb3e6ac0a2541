import numpy as np
import pytest

from sscd.baselines.how.selectivity import Selectivity


def test_every_distance_by_the_definition() -> None:
    for alpha, threshold, dims in ((3.0, 0.0, 128), (1.0, 0.25, 8), (0.5, 0.9, 7)):
        expected = []
        for distance in range(dims + 1):
            cosine = 1 - 2 * distance / dims
            expected.append(cosine**alpha if cosine > threshold else 0.0)
        found = Selectivity(alpha, threshold).by_distance(dims)
        assert np.allclose(found, expected, rtol=0, atol=1e-15)


def test_a_cosine_of_the_threshold_does_not_count() -> None:
    assert Selectivity(1, 0.5).by_distance(4).tolist() == [1, 0, 0, 0, 0]
    assert Selectivity(1, 0.4999).by_distance(4).tolist() == [1, 0.5, 0, 0, 0]


@pytest.mark.parametrize(
    ("alpha", "threshold"), [(0.0, 0.0), (-1.0, 0.0), (float("nan"), 0.0), (3.0, 1.0), (3.0, -0.1)]
)
def test_numbers_out_of_range_are_refused(alpha: float, threshold: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        Selectivity(alpha, threshold)
