"""LARS on a CPU: two passes over each large tensor, whole tensors shared out over threads.

A step is bound by memory and by waking threads. torch's own kernels wake all threads for each
operation on each of some hundred tensors; here every thread is woken once and takes whole tensors
through single-threaded kernels, the second of which finds most of the tensor in the cache. So the
result does not depend on the number of threads either.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

LARGE = 32_768
"""Elements from which a tensor is worth a call of its own."""
_MOST_THREADS = 8  # beyond, memory is the limit


@dataclass(frozen=True)
class Rule:
    """The numbers of a LARS step, as `LARS` has them.

    Attributes:
        lr: Learning rate.
        momentum: Momentum, above 0.
        weight_decay: L2 penalty.
        trust: Trust coefficient.
        adapt: Whether the step is scaled by `‖p‖ / ‖g‖`.
    """

    lr: float
    momentum: float
    weight_decay: float
    trust: float
    adapt: bool

    def ratio(self, parameter_norm: float, gradient_norm: float) -> float:
        """The trust ratio: 1 where either norm is 0."""
        if not self.adapt or parameter_norm == 0 or gradient_norm == 0:
            return 1.0
        decayed = gradient_norm + self.weight_decay * parameter_norm
        return self.trust * parameter_norm / (decayed + 1e-8)


@dataclass(frozen=True)
class Triple:
    """A parameter, its gradient and its velocity, as rows of numbers in the order of memory."""

    parameter: Tensor
    gradient: Tensor
    velocity: Tensor

    @classmethod
    def of(cls, parameter: Tensor, gradient: Tensor, velocity: Tensor) -> "Triple | None":
        """The three flattened; None where they are small or do not lie alike in memory."""
        if parameter.numel() < LARGE or parameter.device.type != "cpu":
            return None
        rows = []
        for tensor in (parameter, gradient, velocity):
            if tensor.dtype != parameter.dtype or tensor.stride() != parameter.stride():
                return None
            row = _flat(tensor)
            if row is None:
                return None
            rows.append(row)
        return cls(*rows)


def step_large(triples: list[Triple], rule: Rule, *, meanwhile: Callable[[], None]) -> None:
    """Take one LARS step for each of some large tensors, in place, on several threads.

    Args:
        triples: What to step.
        rule: How; with momentum, for torch's fused step keeps no velocity without it.
        meanwhile: What this thread does first, while others begin.
    """
    threads = torch.get_num_threads()
    # From the end: the largest first, so that all threads finish at about the same time.
    left = sorted(triples, key=lambda triple: triple.parameter.numel())
    others = min(threads, _MOST_THREADS, len(left)) - 1
    begun: list[Future[None]] = []
    if others > 0:
        pool = _pool(others, os.getpid())
        begun = [pool.submit(_step_all, left, rule) for _ in range(others)]
    torch.set_num_threads(1)  # of this thread alone, as in the others
    try:
        meanwhile()
        _step_all(left, rule)
    finally:
        try:
            for done in begun:
                done.result()
        finally:  # last, since a thread of the pool that starts sets the number for new ones
            torch.set_num_threads(threads)


def _step_all(left: list[Triple], rule: Rule) -> None:
    """Step what is left, of which other threads may take some, too."""
    with torch.no_grad():  # which each thread must say for itself
        while left:
            try:
                triple = left.pop()
            except IndexError:  # another thread took it
                return
            _step(triple, rule)


def _step(triple: Triple, rule: Rule) -> None:
    ratio = 1.0
    if rule.adapt:
        norms = (torch.linalg.vector_norm(t) for t in (triple.parameter, triple.gradient))
        ratio = rule.ratio(*map(float, norms))
    # v ← momentum·v + (1 − dampening)·(g + weight_decay·p), p ← p − lr·v, in one pass
    torch._fused_sgd_(
        [triple.parameter],
        [triple.gradient],
        [triple.velocity],
        lr=rule.lr,
        momentum=rule.momentum,
        weight_decay=rule.weight_decay,
        dampening=1.0 - ratio,
        nesterov=False,
        maximize=False,
        is_first_step=False,
    )


def _flat(tensor: Tensor) -> Tensor | None:
    if tensor.is_contiguous():
        return tensor.view(-1)
    if tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last):
        return tensor.permute(0, 2, 3, 1).view(-1)
    return None


@functools.cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:  # noqa: ARG001
    # By process, since threads do not survive a fork.
    return ThreadPoolExecutor(
        threads, thread_name_prefix="lars", initializer=torch.set_num_threads, initargs=(1,)
    )
