"""The k best references of every query, kept while tiles arrive."""

import torch
from torch import Tensor

_LOW = 0xFFFF_FFFF
MOST_REFERENCES = _LOW
"""References that a key can tell apart."""


class Best:
    """The k best of n queries so far.

    A score and its reference are one integer, so that the best k are the k largest and ties go to
    the lower reference, in whatever order tiles arrive.

    Args:
        count: Queries n.
        k: References to keep of each.
        device: Where they are kept.
    """

    def __init__(self, count: int, k: int, device: torch.device) -> None:
        nothing = torch.full((1,), -torch.inf, device=device)
        self.keys = _keys(nothing, torch.full((1,), _LOW, device=device)).repeat(count, k)

    def worst(self, queries: slice) -> Tensor:
        """Return the score of each query's k-th best so far, -inf where there are fewer."""
        return _scores(self.keys[queries, -1])

    def add(self, queries: slice, rows: Tensor, references: Tensor, scores: Tensor) -> None:
        """Take in scored pairs of some queries; `rows` rise and count from the first of them."""
        before = self.keys[queries]
        counts = torch.bincount(rows, minlength=len(before))
        first = counts.cumsum(0) - counts
        place = torch.arange(len(rows), device=rows.device) - first[rows]
        k = before.shape[1]
        pool = before.new_full((len(before), k + int(counts.max())), torch.iinfo(torch.int64).min)
        pool[:, :k] = before
        pool[rows, k + place] = _keys(scores, references)
        self.keys[queries] = pool.topk(k, dim=1).values

    def merge(self, other: "Best") -> None:
        """Take in what another device found for the same queries."""
        both = torch.cat([self.keys, other.keys.to(self.keys.device)], dim=1)
        self.keys = both.topk(self.keys.shape[1], dim=1).values

    def result(self) -> tuple[Tensor, Tensor]:
        """Return (n, k) scores, falling, and (n, k) references."""
        return _scores(self.keys), _LOW - (self.keys & _LOW)


def _keys(scores: Tensor, references: Tensor) -> Tensor:
    return (_ordered(scores.view(torch.int32)).long() << 32) | (_LOW - references)


def _scores(keys: Tensor) -> Tensor:
    return _ordered((keys >> 32).int()).view(torch.float32)


def _ordered(bits: Tensor) -> Tensor:
    """Turn the bits of floats into integers of the same order, and back."""
    return bits ^ ((bits >> 31) & 0x7FFF_FFFF)
