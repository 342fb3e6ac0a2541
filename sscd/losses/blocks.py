"""A loss and an entropy over blocks of anchors: memory grows with block · M, not with N · M.

Loss and gradient are sums over anchors, so each block's share of the gradient is computed at once
and its (block, M) matrices are freed; what is kept for the backward pass is (N, D) and (M, D).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sscd.losses.instance import Block, InfoNCE, InstanceLoss
from sscd.losses.precision import full_float32
from sscd.losses.relations import Relations, relations, shares_content, with_memory
from sscd.losses.rows import Remembered, Rows
from sscd.losses.spread import Nearest, Spread

# Similarities in a block by default: 32 MiB as a float32 matrix, of which about eight live at once.
BLOCK_SIMILARITIES = 2**23


@dataclass(frozen=True)
class Totals:
    """Sums over the anchors and over how many, scalars on the device.

    Attributes:
        instance: Σ of the terms of the loss that tells pictures apart; with gradient.
        entropy: Σ of the terms of the entropy; with gradient.
        statistics: (6,) without gradient: terms of that loss; terms of the entropy; Σ cosine of
            the positive pairs; those pairs; Σ cosine of each row's nearest negative of the batch;
            the rows that have one.
    """

    instance: Tensor
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
    loss: InstanceLoss = InfoNCE(),
    spread: Spread = Nearest(),
    learnt: Tensor | None = None,
    memory: Remembered | None = None,
    block: int | None = None,
) -> Totals:
    """A loss and an entropy of all anchors against the gallery, in float32 or wider.

    Args:
        anchors: N rows.
        gallery: M rows of all ranks, of which the anchors are a part; it says which rows are
            negatives only.
        first_anchor: Where the anchors begin in the gallery.
        loss: What tells pictures apart.
        spread: The entropy.
        learnt: What that loss learns beside the network; it gets a gradient.
        memory: More negatives.
        block: Anchors whose similarities are computed at once; by default as many as make
            `BLOCK_SIMILARITIES`. The result does not depend on it but for rounding.

    Raises:
        ValueError: A shape, the loss or the block does not fit.
    """
    remembered = 0 if memory is None else len(memory.filled)
    if block is None:
        block = block_rows(len(gallery.descriptors) + remembered)
    if block < 1:
        raise ValueError(f"block got {block}; expected at least 1 anchor")
    problem = _Problem(anchors.contents, gallery, first_anchor, loss, spread, memory, block)
    with full_float32(anchors.descriptors.device.type):
        contrast, entropy, statistics = _BlockTotals.apply(
            anchors.descriptors, gallery.descriptors, learnt, problem
        )
    return Totals(contrast, entropy, statistics)


@dataclass(frozen=True)
class _Problem:
    """What the loss needs beside the descriptors; see `contrastive_totals`."""

    contents: Tensor
    gallery: Rows
    first_anchor: int
    loss: InstanceLoss
    spread: Spread
    memory: Remembered | None
    block: int

    def blocks(self) -> Iterator[slice]:
        for start in range(0, len(self.contents), self.block):
            yield slice(start, min(start + self.block, len(self.contents)))

    def relate(self, anchors: slice) -> Relations:
        """How a block's anchors relate to the rows of the step, and to the memory after them."""
        contents = self.contents[anchors]
        first = self.first_anchor + anchors.start
        shown, only = self.gallery.contents, self.gallery.negative_only
        related = relations(contents, shown, first_anchor=first, negative_only=only)
        if self.memory is None:
            return related
        strange = ~shares_content(contents, self.memory.rows.contents) & self.memory.filled
        if only is not None:
            strange &= ~only[first : first + len(contents), None]
        return with_memory(related, strange)

    def similarities(self, anchors: Tensor, gallery: Tensor) -> Tensor:
        """Cosines of anchors to the rows of the step, and to the memory after them."""
        similarity = anchors @ gallery.T
        if self.memory is None:
            return similarity
        old = self.memory.rows.descriptors.to(anchors.dtype)
        return torch.cat([similarity, anchors @ old.T], dim=1)

    def contrast(
        self, own: Tensor, gallery: Tensor, similarity: Tensor, related: Relations, *, at: slice
    ) -> Block:
        """What the loss is given of a block."""
        old = gallery[:0] if self.memory is None else self.memory.rows.descriptors.to(own.dtype)
        return Block(own, gallery, old, similarity, related, self.first_anchor + at.start)

    def entropy_pool(self, gallery: Tensor) -> Tensor:
        """What the entropy is of: the gallery, and what the memory has if it is asked."""
        if self.memory is None or not self.memory.entropy:
            return gallery.detach()
        old = self.memory.rows.descriptors.masked_fill(~self.memory.filled[:, None], 0.0)
        return torch.cat([gallery.detach(), old])


@dataclass(frozen=True)
class _Gradient:
    """Of one sum: (N, D), (M, D), and a scalar."""

    anchors: Tensor
    gallery: Tensor
    learnt: Tensor

    @classmethod
    def zero(cls, anchors: Tensor, gallery: Tensor) -> "_Gradient":
        return cls(torch.zeros_like(anchors), torch.zeros_like(gallery), anchors.new_zeros(()))

    def add(
        self, term: Tensor, own: Tensor, pool: Tensor, learnt: Tensor | None = None, *, at: slice
    ) -> None:
        """Add what a block's sum gives; rows of the pool beyond the gallery get none."""
        leaves = (own, pool) if learnt is None else (own, pool, learnt)
        # Not every entropy is a function of the anchors as such.
        of_own, of_pool, *of_learnt = torch.autograd.grad(
            term, leaves, allow_unused=True, materialize_grads=True
        )
        self.anchors[at] = of_own
        self.gallery.add_(of_pool[: len(self.gallery)])
        for one in of_learnt:
            self.learnt.add_(one)


class _BlockTotals(torch.autograd.Function):
    """Both sums, whose gradients are computed in the forward pass and scaled in the backward."""

    @staticmethod
    def forward(
        ctx: Any, anchors: Tensor, gallery: Tensor, learnt: Tensor | None, problem: _Problem
    ) -> tuple[Tensor, Tensor, Tensor]:
        differentiable = any(ctx.needs_input_grad)
        contrasts, entropies = (_Gradient.zero(anchors, gallery) for _ in range(2))
        leaf = gallery.detach().requires_grad_()
        scalar = None if learnt is None else learnt.detach().requires_grad_()
        pool = problem.entropy_pool(gallery).requires_grad_()
        totals = anchors.new_zeros(8)
        for at in problem.blocks():
            related = problem.relate(at)
            own = anchors[at].detach().requires_grad_()
            with torch.set_grad_enabled(differentiable):
                similarity = problem.similarities(own, leaf)
                block = problem.contrast(own, leaf, similarity, related, at=at)
                losses, contrasted = problem.loss.of(block, scalar)
                contrast = losses.sum()
                if differentiable:  # which frees the graph before the entropy is looked at
                    contrasts.add(contrast, own, leaf, scalar, at=at)
                similarity = similarity.detach()
                del block
                near = similarity[:, : len(pool)]
                losses, spread = problem.spread.of(own, pool, near, related.first(len(pool)))
                entropy = losses.sum()
                if differentiable:
                    entropies.add(entropy, own, pool, at=at)
            counted = [contrast.detach(), entropy.detach(), contrasted.sum(), spread.sum()]
            of_step = _statistics(similarity[:, : len(gallery)], related.first(len(gallery)))
            totals += torch.stack([*counted, *of_step])
        ctx.save_for_backward(
            *(part for g in (contrasts, entropies) for part in (g.anchors, g.gallery, g.learnt))
        )
        ctx.learns = learnt is not None
        ctx.set_materialize_grads(False)
        contrast, entropy, statistics = totals[0].clone(), totals[1].clone(), totals[2:].clone()
        ctx.mark_non_differentiable(statistics)
        return contrast, entropy, statistics

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_contrast: Tensor | None, of_entropy: Tensor | None, _: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        kept = ctx.saved_tensors
        sums: list[Tensor | None] = [None, None, None]
        # A sum that is not part of the loss is left out, not multiplied by 0: it may be NaN.
        for scale, parts in ((of_contrast, kept[:3]), (of_entropy, kept[3:])):
            if scale is not None:
                sums = [
                    scale * part if total is None else total + scale * part
                    for total, part in zip(sums, parts, strict=True)
                ]
        return sums[0], sums[1], sums[2] if ctx.learns else None, None


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
