"""Which pairs of a tile can reach a score: a look in low precision that misses none.

Both metrics become one inner product h = q̂·r̂. For L2, q̂ = (q, 1) and r̂ = (r, (c − |r|²)/2), so
that −|q − r|² = 2h − |q|² − c; c is a usual |r|², which keeps h near q·r. The product is computed
from rounded rows q', r', in bfloat16 where that is fast. By Cauchy and Schwarz

    |q̂·r̂ − q'·r'| ≤ |q̂| |r̂ − r'| + |q̂ − q'| |r'|,

and all of these lengths are known; the margin adds what the sums themselves may lose. Rounding the
result needs no margin: it is monotone, and the bound it is compared with is rounded alike.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from sscd.search.options import Metric

GROUP = 16
"""Products that are looked at as one, by their maximum."""

Side = Literal["queries", "references"]

_CROWD = 1 / 16
_TINY = torch.finfo(torch.float32).tiny
_ALIGNED = 8  # tensor cores want both sides in multiples of this
_PIECE = 1024  # rows whose differences stay in the cache
_GROUPS = (1 << 20) // GROUP  # groups whose members are looked at together


@dataclass(frozen=True)
class Operand:
    """One side of the product in one precision.

    Attributes:
        matrix: (n', K): rounded rows, then zeros; K a multiple of 8, n' of `GROUP` for references.
        length: (n,) float32, lengths of the rows before rounding.
        lost: (n,) float32, lengths of what rounding took from them.
        shift: c/2 of references for L2, which the products hold too much.
    """

    matrix: Tensor
    length: Tensor
    lost: Tensor
    shift: Tensor | float = 0.0


class Rows:
    """A tile of queries or of references on a device.

    Args:
        vectors: (n, D) float32.
        start: Number of the first row in the whole set.
        side: Which side of the product they are.
        metric: How they are compared.
    """

    def __init__(self, vectors: Tensor, *, start: int, side: Side, metric: Metric) -> None:
        self.vectors = vectors
        self.start, self.stop = start, start + len(vectors)
        self._lengths = _lengths(vectors)
        self.squares = self._lengths.square()
        self._side, self._metric = side, metric
        self._operands: dict[torch.dtype, Operand] = {}

    def __len__(self) -> int:
        """How many rows."""
        return len(self.vectors)

    def operand(self, dtype: torch.dtype) -> Operand:
        """Return the rows, folded and rounded; made on first use."""
        if dtype not in self._operands:
            self._operands[dtype] = self._fold(dtype)
        return self._operands[dtype]

    def product_at(self, scores: Tensor | float) -> Tensor:
        """Return the h, less c/2, of each query that gives a score: (n,)."""
        if self._metric == "l2":
            return (self.squares + scores) / 2
        return torch.zeros_like(self.squares) + scores

    def _fold(self, dtype: torch.dtype) -> Operand:
        count, width = self.vectors.shape
        wide = width + (self._metric == "l2")
        tall = -count % GROUP if self._side == "references" else 0
        matrix = self.vectors.new_zeros(count + tall, wide + -wide % _ALIGNED, dtype=dtype)
        own = matrix[:count, :width].copy_(self.vectors)
        pieces = zip(torch.split(self.vectors, _PIECE), torch.split(own, _PIECE), strict=True)
        lost = torch.cat([_lengths(exact - rounded.float()) for exact, rounded in pieces])
        if self._metric == "inner_product":
            return Operand(matrix, self._lengths, lost)
        shift = self.squares.median() / 2
        is_query = self._side == "queries"
        last = torch.ones_like(self.squares) if is_query else shift - self.squares / 2
        rest = last - matrix[:count, width].copy_(last)
        return Operand(matrix, self._lengths.hypot(last), lost.hypot(rest), shift)


class Screen:
    """Finds candidates in tiles, one tile a call; safe to share among threads.

    Args:
        dtypes: Precisions to look in, coarsest first; the next one where a look leaves a crowd.
    """

    def __init__(self, dtypes: tuple[torch.dtype, ...]) -> None:
        self._dtypes = dtypes
        self._scratch = threading.local()

    def candidates(
        self, queries: Rows, references: Rows, bound: Tensor, *, k: int | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Find every pair of two tiles that reaches its query's bound, and few others.

        Args:
            queries: n rows.
            references: m rows.
            bound: (n,) float32, what h − c/2 must reach, from `Rows.product_at`.
            k: Where given, only the k best pairs of each query are sought; this replaces bounds of
                minus infinity.

        Yields:
            Rows of the queries (rising) and of the references, (c,) int64, counted in the tiles; c
            at most a million. All are to be taken before the same thread asks for another tile.
        """
        for dtype in self._dtypes:
            left, right = queries.operand(dtype), references.operand(dtype)
            products, margin = self._products(left.matrix, right.matrix), _margin(left, right)
            products[:, len(references) :] = -torch.inf
            least = bound + right.shift
            if k is not None and k <= len(references) and bool(least.isinf().any()):
                least = torch.maximum(least, _kth(products, k) - margin)
            # Padding is minus infinity and must not reach a bound that is.
            least = (least - margin).clamp(min=torch.finfo(dtype).min).to(dtype)
            grouped, least = _comparable(products.view(len(products), GROUP, -1), least)
            maxima = grouped.amax(dim=1)
            rows, groups = torch.nonzero(maxima >= least[:, None], as_tuple=True)
            if len(rows) <= max(_CROWD * maxima.numel(), 4 * (k or 0) * len(queries)):
                break
        pieces = zip(torch.split(rows, _GROUPS), torch.split(groups, _GROUPS), strict=True)
        for own, group in pieces:
            members = grouped.transpose(1, 2)[own, group]
            found, member = torch.nonzero(members >= least[own, None], as_tuple=True)
            yield own[found], group[found] + member * maxima.shape[1]

    def _products(self, left: Tensor, right: Tensor) -> Tensor:
        """Multiply into memory that each thread keeps: fresh pages cost as much as the product."""
        size, name = len(left) * len(right), str(left.dtype)
        kept: Tensor | None = getattr(self._scratch, name, None)
        if kept is None or len(kept) < size:
            kept = left.new_empty(size)
            setattr(self._scratch, name, kept)
        return torch.mm(left, right.T, out=kept[:size].view(len(left), len(right)))


def _kth(products: Tensor, k: int) -> Tensor:
    """What the k-th largest product of a row is at least, before its rounding: (n,) float32.

    Each group's maximum is another pair, so the k-th largest of them will do where there are many.
    """
    groups = products.shape[1] // GROUP
    pool = products.view(len(products), GROUP, -1).amax(dim=1) if 2 * k <= groups else products
    kth: Tensor = pool.topk(k, dim=1).values[:, -1].float()
    return kth - kth.abs() * (torch.finfo(pool.dtype).eps / 2)


def _comparable(products: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
    """Return what compares alike but faster: above zero, floats are in the order of their bits."""
    if not bool((least > 0).all()):
        return products, least
    bits = torch.int16 if products.dtype == torch.bfloat16 else torch.int32
    return products.view(bits), least.view(bits)


def _margin(left: Operand, right: Operand) -> Tensor:
    """How far h may lie from the product of rounded rows: (n,) float32."""
    longest, most_lost = right.length.max(), right.lost.max()
    rounding = left.length * most_lost + left.lost * (longest + most_lost)
    # 2⁻²⁴ a product and a sum; where products are tiny, what is flushed to zero.
    summing = left.matrix.shape[1] * (2.0**-24 * (left.length + longest).square() + _TINY)
    return rounding + summing


def _lengths(rows: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return lengths
