import numpy as np
import pytest

from sscd.baselines.how.aggregation import aggregate, pack_signs, signature_width
from tests.baselines.how.naive import random_pictures, signs_by_word


def bits_of(signature: np.ndarray, dims: int) -> list[int]:
    return [int(signature[place // 64]) >> (place % 64) & 1 for place in range(dims)]


@pytest.mark.parametrize(("dims", "width"), [(3, 1), (64, 1), (65, 2), (128, 2), (300, 5)])
def test_signs_are_packed_and_the_rest_is_zero(dims: int, width: int) -> None:
    values = np.random.default_rng(dims).standard_normal((5, dims))
    values[0] = 0  # no sign at all counts as minus
    packed = pack_signs(values)
    assert packed.shape == (5, width) == (5, signature_width(dims))
    assert packed.dtype == np.uint64
    for row, signature in zip(values, packed, strict=True):
        assert bits_of(signature, width * 64) == [*(row > 0), *[False] * (width * 64 - dims)]


@pytest.mark.parametrize("assignments", [1, 3])
def test_words_and_signs_equal_those_of_the_naive_twin(assignments: int) -> None:
    centroids = random_pictures(1, [9], 70)[0]
    (descriptors,) = random_pictures(2, [40], 70)
    distances = ((descriptors[:, None] - centroids) ** 2).sum(axis=2)
    assigned = np.argsort(distances, axis=1)[:, :assignments]
    found = aggregate(descriptors, assigned, centroids)
    expected = signs_by_word(descriptors, centroids, assignments)
    assert found.words.tolist() == sorted(expected)
    for word, signature in zip(found.words.tolist(), found.signatures, strict=True):
        assert bits_of(signature, 70) == (expected[word] > 0).tolist()


def test_residuals_of_a_word_are_summed_before_their_signs_are_taken() -> None:
    centroids = np.array([[0, 0], [10, 10]], np.float32)
    descriptors = np.array([[3, -1], [-1, -1], [-1, 1.5], [11, 9]], np.float32)
    found = aggregate(descriptors, np.array([[0], [0], [0], [1]]), centroids)
    assert found.words.tolist() == [0, 1]
    assert found.signatures.tolist() == [[0b01], [0b01]]  # sums (1, −0.5) and (1, −1)


def test_a_picture_without_descriptors_has_no_words() -> None:
    found = aggregate(
        np.empty((0, 5), np.float32), np.empty((0, 2), np.int64), np.ones((4, 5), "f")
    )
    assert len(found) == 0
    assert found.signatures.shape == (0, 1)


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="expected \\(n, D\\)"):
        aggregate(np.ones((2, 5), "f"), np.zeros((3, 1), np.int64), np.ones((4, 5), "f"))
    with pytest.raises(ValueError, match="expected \\(n, D\\)"):
        aggregate(np.ones((2, 5), "f"), np.zeros((2, 1), np.int64), np.ones((4, 6), "f"))
