"""InfoNCE and entropy over blocks of anchors: memory grows with block · M, not with N · M.

Loss and gradient are sums over anchors, so each block's share of the gradient is computed at once
and its (block, M) matrices are freed; what is kept for the backward pass is (N, D) and (M, D).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sscd.losses.entropy import entropy_loss
from sscd.losses.info_nce import info_nce
from sscd.losses.precision import full_float32
from sscd.losses.relations import Relations, relations, shares_content, with_memory

# Similarities in a block by default: 32 MiB as a float32 matrix, of which about eight live at once.
BLOCK_SIMILARITIES = 2**23


@dataclass(frozen=True)
class Rows:
    """Descriptors and the pictures they show.

    Attributes:
        descriptors: (N, D), unit norm, float32 or wider.
        contents: (N, C) int64 picture numbers, `NO_PICTURE` where a row shows fewer.
    """

    descriptors: Tensor
    contents: Tensor


@dataclass(frozen=True)
class Remembered:
    """Rows of earlier steps, which are negatives only and get no gradient.

    Attributes:
        rows: K descriptors and their contents; C may differ from that of the batch.
        filled: (K,) bool; the other rows count for nothing.
        entropy: Whether the entropy's nearest neighbours are looked for among them too.
    """

    rows: Rows
    filled: Tensor
    entropy: bool = False


@dataclass(frozen=True)
class Totals:
    """Sums over the anchors and over how many, scalars on the device.

    Attributes:
        info_nce: Σ of the InfoNCE of the rows that have it; with gradient.
        entropy: Σ of the entropy loss of the rows that have it; with gradient.
        statistics: (6,) without gradient: rows with an InfoNCE; rows with an entropy; Σ cosine of
            the positive pairs; those pairs; Σ cosine of each row's nearest negative of the batch;
            the rows that have one.
    """

    info_nce: Tensor
    entropy: Tensor
    statistics: Tensor


def block_rows(gallery_rows: int) -> int:
    """Anchors in a block by default.

    >>> block_rows(8192)
    1024
    """
    return max(1, BLOCK_SIMILARITIES // max(1, gallery_rows))


def contrastive_totals(
    anchors: Rows,
    gallery: Rows,
    *,
    first_anchor: int = 0,
    temperature: float = 0.05,
    memory: Remembered | None = None,
    block: int | None = None,
) -> Totals:
    """InfoNCE and entropy of all anchors against the gallery, in float32 or wider.

    Args:
        anchors: N rows.
        gallery: M rows of all ranks, of which the anchors are a part.
        first_anchor: Where the anchors begin in the gallery.
        temperature: τ above 0.
        memory: More negatives.
        block: Anchors whose similarities are computed at once; by default as many as make
            `BLOCK_SIMILARITIES`. The result does not depend on it but for rounding.

    Raises:
        ValueError: A shape, the temperature or the block does not fit.
    """
    remembered = 0 if memory is None else len(memory.filled)
    if block is None:
        block = block_rows(len(gallery.descriptors) + remembered)
    if block < 1:
        raise ValueError(f"block got {block}; expected at least 1 anchor")
    problem = _Problem(anchors.contents, gallery.contents, first_anchor, temperature, memory, block)
    with full_float32(anchors.descriptors.device.type):
        contrast, entropy, statistics = _BlockTotals.apply(
            anchors.descriptors, gallery.descriptors, problem
        )
    return Totals(contrast, entropy, statistics)


@dataclass(frozen=True)
class _Problem:
    """What the loss needs beside the descriptors; see `contrastive_totals`."""

    contents: Tensor
    gallery_contents: Tensor
    first_anchor: int
    temperature: float
    memory: Remembered | None
    block: int

    def blocks(self) -> Iterator[slice]:
        for start in range(0, len(self.contents), self.block):
            yield slice(start, min(start + self.block, len(self.contents)))

    def relate(self, anchors: slice) -> Relations:
        """How a block's anchors relate to the rows of the step, and to the memory after them."""
        contents = self.contents[anchors]
        first = self.first_anchor + anchors.start
        related = relations(contents, self.gallery_contents, first_anchor=first)
        if self.memory is None:
            return related
        strange = ~shares_content(contents, self.memory.rows.contents) & self.memory.filled
        return with_memory(related, strange)

    def similarities(self, anchors: Tensor, gallery: Tensor) -> Tensor:
        """Cosines of anchors to the rows of the step, and to the memory after them."""
        similarity = anchors @ gallery.T
        if self.memory is None:
            return similarity
        old = self.memory.rows.descriptors.to(anchors.dtype)
        return torch.cat([similarity, anchors @ old.T], dim=1)

    def entropy_pool(self, gallery: Tensor) -> Tensor:
        """Where nearest neighbours are looked for: the gallery, and the memory if it is asked."""
        if self.memory is None or not self.memory.entropy:
            return gallery.detach()
        return torch.cat([gallery.detach(), self.memory.rows.descriptors])


@dataclass(frozen=True)
class _Gradient:
    """Of one sum: (N, D) and (M, D)."""

    anchors: Tensor
    gallery: Tensor

    def add(self, term: Tensor, own: Tensor, pool: Tensor, *, at: slice) -> None:
        """Add what a block's sum gives; rows of the pool beyond the gallery get none."""
        of_own, of_pool = torch.autograd.grad(term, (own, pool))
        self.anchors[at] = of_own
        self.gallery.add_(of_pool[: len(self.gallery)])


class _BlockTotals(torch.autograd.Function):
    """Both sums, whose gradients are computed in the forward pass and scaled in the backward."""

    @staticmethod
    def forward(
        ctx: Any, anchors: Tensor, gallery: Tensor, problem: _Problem
    ) -> tuple[Tensor, Tensor, Tensor]:
        differentiable = any(ctx.needs_input_grad)
        kept = [_Gradient(torch.zeros_like(anchors), torch.zeros_like(gallery)) for _ in range(2)]
        leaf = gallery.detach().requires_grad_()
        pool = problem.entropy_pool(gallery).requires_grad_()
        totals = anchors.new_zeros(8)
        for at in problem.blocks():
            related = problem.relate(at)
            own = anchors[at].detach().requires_grad_()
            with torch.set_grad_enabled(differentiable):
                similarity = problem.similarities(own, leaf)
                losses, contrasted = info_nce(similarity, related, temperature=problem.temperature)
                contrast = losses.sum()
                if differentiable:  # which frees the graph before the entropy is looked at
                    kept[0].add(contrast, own, leaf, at=at)
                similarity = similarity.detach()
                near = similarity[:, : len(pool)]
                losses, spread = entropy_loss(own, pool, near, related.first(len(pool)))
                entropy = losses.sum()
                if differentiable:
                    kept[1].add(entropy, own, pool, at=at)
            counted = [contrast.detach(), entropy.detach(), contrasted.sum(), spread.sum()]
            of_step = _statistics(similarity[:, : len(gallery)], related.first(len(gallery)))
            totals += torch.stack([*counted, *of_step])
        ctx.save_for_backward(*(part for g in kept for part in (g.anchors, g.gallery)))
        ctx.set_materialize_grads(False)
        contrast, entropy, statistics = totals[0].clone(), totals[1].clone(), totals[2:].clone()
        ctx.mark_non_differentiable(statistics)
        return contrast, entropy, statistics

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_contrast: Tensor | None, of_entropy: Tensor | None, _: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, None]:
        kept = ctx.saved_tensors
        anchors: Tensor | None = None
        gallery: Tensor | None = None
        # A sum that is not part of the loss is left out, not multiplied by 0: it may be NaN.
        for scale, own, others in ((of_contrast, *kept[:2]), (of_entropy, *kept[2:])):
            if scale is not None:
                anchors = scale * own if anchors is None else anchors + scale * own
                gallery = scale * others if gallery is None else gallery + scale * others
        return anchors, gallery, None


def _statistics(similarity: Tensor, related: Relations) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The last four of `Totals.statistics`."""
    positive = similarity.masked_fill(~related.positive, 0.0).sum()
    has_negative = related.negative.any(dim=1)
    nearest = similarity.masked_fill(~related.negative, -1.0).amax(dim=1)
    return (
        positive,
        related.positive.sum(),
        nearest.masked_fill(~has_negative, 0.0).sum(),
        has_negative.sum(),
    )
