"""Positives and negatives, mixed rows included."""

import pytest
import torch

from sscd.losses.relations import NO_PICTURE, relations


def test_two_views_of_two_pictures() -> None:
    content = torch.tensor([[4], [4], [9]])
    related = relations(content, content)
    assert related.positive.tolist() == [
        [False, True, False],
        [True, False, False],
        [False, False, False],
    ]
    assert related.negative.tolist() == [
        [False, False, True],
        [False, False, True],
        [True, True, False],
    ]


def test_any_shared_content_is_positive_and_none_is_negative() -> None:
    mixed = torch.tensor([[1, 2], [2, NO_PICTURE], [3, NO_PICTURE], [NO_PICTURE, NO_PICTURE]])
    related = relations(mixed, mixed)
    assert related.positive[0].tolist() == [False, True, False, False]
    assert related.negative[0].tolist() == [False, False, True, True]
    assert not related.positive[3].any(), "rows without a picture share nothing"


def test_anchors_are_a_part_of_the_gallery() -> None:
    gallery = torch.tensor([[0], [1], [0], [1]])
    related = relations(gallery[2:], gallery, first_anchor=2)
    assert related.positive.tolist() == [[True, False, False, False], [False, True, False, False]]
    assert related.negative.tolist() == [[False, True, False, True], [True, False, True, False]]


def test_rows_that_are_negatives_only() -> None:
    """Every third row; by the definition, pair by pair."""
    gallery = torch.tensor(
        [[0, NO_PICTURE], [0, 1], [0, NO_PICTURE]] * 2 + [[2, 3], [1, 2], [2, 3]]
    )
    only = torch.tensor([False, False, True] * 3)
    first, count = 2, 6
    related = relations(
        gallery[first : first + count], gallery, first_anchor=first, negative_only=only
    )
    shown = [set(row) - {NO_PICTURE} for row in gallery.tolist()]
    for i in range(count):
        for j in range(len(gallery)):
            shared, anchor = bool(shown[first + i] & shown[j]), not only[first + i]
            positive = anchor and shared and not only[j] and j != first + i
            assert bool(related.positive[i, j]) == positive
            assert bool(related.negative[i, j]) == (anchor and not shared)
    assert related.negative[:, only].any()


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="expected \\(N, C\\)"):
        relations(torch.tensor([1, 2]), torch.tensor([[1]]))
    with pytest.raises(ValueError, match="first_anchor got 1"):
        relations(torch.tensor([[1], [2]]), torch.tensor([[1], [2]]), first_anchor=1)
