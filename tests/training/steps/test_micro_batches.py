"""Gradient caching against steps that keep every graph."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sscd.losses.instance import InfoNCE
from sscd.losses.relations import NO_PICTURE
from sscd.training.steps.micro_batches import describe_in_micro_batches
from sscd.training.steps.objective import compute_objective
from tests.losses.live_memory import LiveMemory
from tests.training.noisy import noisy_network, real_network

PICTURES, MICRO = 5, 2  # the last micro-batch has one picture
Describe = Callable[[nn.Module, Tensor], Tensor]


def views_of(size: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    shape = (PICTURES, 2, 3, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def mixed_contents() -> Tensor:
    contents = torch.full((PICTURES, 2, 2), NO_PICTURE)
    contents[..., 0] = torch.arange(PICTURES).unsqueeze(1)
    contents[0, 1, 1], contents[3, 0, 1] = 2, 1
    return contents.flatten(0, 1)


def cached(network: nn.Module, views: Tensor) -> Tensor:
    return describe_in_micro_batches(network, views, micro_batch=MICRO)


def graphs_kept(network: nn.Module, views: Tensor) -> Tensor:
    return torch.cat([network(part.flatten(0, 1)) for part in torch.split(views, MICRO)])


def whole(network: nn.Module, views: Tensor) -> Tensor:
    described: Tensor = network(views.flatten(0, 1))
    return described


def step(
    network: nn.Module, views: Tensor, describe: Describe, *, scale: float = 1.0
) -> tuple[Tensor, list[Tensor | None], Tensor]:
    """Loss, gradients, and random numbers drawn between the passes and after them."""
    torch.manual_seed(5)
    described = describe(network, views)
    loss = compute_objective(
        described, mixed_contents(), loss=InfoNCE(0.1), entropy_weight=2.0, block=3
    ).loss
    drawn = torch.rand(1)
    (loss * scale).backward()  # type: ignore[no-untyped-call]
    drawn = torch.cat([drawn, torch.rand(1)])
    return loss.detach(), [p.grad for p in network.parameters()], drawn


def check_equal(
    got: list[Tensor | None], expected: list[Tensor | None], *, rtol: float = 1e-5
) -> None:
    assert any(g is not None and g.abs().max() > 1e-3 for g in expected)
    for one, other in zip(got, expected, strict=True):
        if one is None or other is None:
            assert one is other
        else:
            torch.testing.assert_close(one, other, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize("build", [noisy_network, real_network])
def test_equals_the_step_that_keeps_every_graph(build: Callable[[], nn.Module]) -> None:
    views = views_of(8 if build is noisy_network else 32)
    network, plain = build(), build()
    got = step(network, views, cached)
    expected = step(plain, views, graphs_kept)
    torch.testing.assert_close(got[0], expected[0])
    check_equal(got[1], expected[1])
    assert torch.equal(got[2], expected[2]), "the replay leaves the random state as it was"
    for (name, one), other in zip(network.named_buffers(), plain.buffers(), strict=True):
        assert torch.equal(one, other), name
    assert any(int(b) == 3 for n, b in network.named_buffers() if "num_batches" in n)


def test_equals_the_whole_batch_with_frozen_batch_norm() -> None:
    views = views_of(32)
    network, plain = real_network().eval(), real_network().eval()
    before = [b.clone() for b in network.buffers()]
    got, expected = step(network, views, cached), step(plain, views, whole)
    torch.testing.assert_close(got[0], expected[0], rtol=1e-5, atol=1e-5)
    check_equal(got[1], expected[1], rtol=1e-4)
    assert all(torch.equal(a, b) for a, b in zip(before, network.buffers(), strict=True))


def half_precision_step(
    describe: Describe, *, cache: bool, around: bool, backward_inside: bool
) -> list[Tensor | None]:
    """Gradients of a step under autocast, with the network also used `around` it."""
    network, views = noisy_network().eval(), views_of(8)
    with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=cache):
        loss = network(views[0]).sum() if around else torch.zeros(())
        described = describe(network, views)
        if around:
            loss = loss + network(views[0]).square().sum()
        step = compute_objective(described, mixed_contents(), loss=InfoNCE(0.1), entropy_weight=2.0)
        loss = loss + step.loss
        if backward_inside:
            loss.backward()
    if not backward_inside:
        loss.backward()
    return [p.grad for p in network.parameters()]


@pytest.mark.parametrize("backward_inside", [False, True])
def test_under_autocast(backward_inside: bool) -> None:
    alone = {"around": False, "backward_inside": backward_inside}
    got = half_precision_step(cached, cache=True, **alone)
    check_equal(got, half_precision_step(graphs_kept, cache=False, **alone))
    exact = step(noisy_network().eval(), views_of(8), cached)[1]
    assert got[3] is not None
    assert exact[3] is not None
    assert not torch.equal(got[3], exact[3]), "half precision was in force"


@pytest.mark.parametrize("backward_inside", [False, True])
def test_weights_that_autocast_has_cached_keep_their_gradient(backward_inside: bool) -> None:
    around = {"around": True, "backward_inside": backward_inside}
    got = half_precision_step(cached, cache=True, **around)
    expected = half_precision_step(graphs_kept, cache=False, **around)
    for one, other in zip(got, expected, strict=True):
        if one is not None and other is not None:
            # Two uses share a cast, and add up their gradients in half precision.
            assert (one - other).norm() < 0.02 * other.norm()


def test_accumulates_and_scales() -> None:
    views = views_of(8)
    network, plain = noisy_network(), noisy_network()
    for describe, own in ((cached, network), (graphs_kept, plain)):
        step(own, views, describe, scale=4.0)
        step(own, views.flip(0), describe, scale=4.0)
    check_equal([p.grad for p in network.parameters()], [p.grad for p in plain.parameters()])
    once = step(noisy_network(), views, cached)[1][3]
    scaled = step(noisy_network(), views, cached, scale=4.0)[1][3]
    assert once is not None
    torch.testing.assert_close(scaled, once * 4)


def test_a_compiled_network() -> None:
    views = views_of(32)
    network, plain = real_network(), real_network()
    network.compile(backend="aot_eager")
    got, expected = step(network, views, cached), step(plain, views, graphs_kept)
    check_equal(got[1], expected[1], rtol=1e-3)
    for one, other in zip(network.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(one, other)


def test_memory_is_that_of_the_micro_batch() -> None:
    views = views_of(32).repeat(4, 1, 1, 1, 1).float()
    layers = [nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten()]
    peaks = {}
    for micro_batch in (None, 2):
        network = nn.Sequential(*layers, nn.Linear(16 * 28 * 28, 4))
        with LiveMemory() as memory:
            described = describe_in_micro_batches(network, views, micro_batch=micro_batch)
            described.square().sum().backward()  # type: ignore[no-untyped-call]
        peaks[micro_batch] = memory.peak
    assert peaks[None] > 4 * peaks[2]


@pytest.mark.parametrize("micro_batch", [PICTURES, 100, None])
def test_enough_for_all_is_the_plain_call(micro_batch: int | None) -> None:
    def describe(network: nn.Module, views: Tensor) -> Tensor:
        return describe_in_micro_batches(network, views, micro_batch=micro_batch)

    views = views_of(8)
    got, expected = step(noisy_network(), views, describe), step(noisy_network(), views, whole)
    check_equal(got[1], expected[1], rtol=0)


def test_without_gradients_nothing_is_kept() -> None:
    network = noisy_network()
    with torch.no_grad():
        assert not cached(network, views_of(8)).requires_grad
    frozen = copy.deepcopy(network).requires_grad_(False)
    assert not cached(frozen, views_of(8)).requires_grad


def test_parameters_that_have_changed_are_refused() -> None:
    network = noisy_network()
    described = cached(network, views_of(8))
    with torch.no_grad():
        next(network.parameters()).add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        described.sum().backward()  # type: ignore[no-untyped-call]


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="micro_batch got 0"):
        describe_in_micro_batches(noisy_network(), views_of(8), micro_batch=0)
    views = views_of(8).float().requires_grad_()
    with pytest.raises(ValueError, match="expected none with micro_batch"):
        describe_in_micro_batches(noisy_network(), views, micro_batch=1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_a_gpu_with_dropout_and_half_precision() -> None:
    views = views_of(8).cuda()
    gradients = []
    for describe in (cached, graphs_kept):
        network = noisy_network().cuda()
        torch.manual_seed(5)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = compute_objective(
                describe(network, views),
                mixed_contents().cuda(),
                loss=InfoNCE(0.1),
                entropy_weight=2.0,
            ).loss
        loss.backward()  # type: ignore[no-untyped-call]
        gradients.append([p.grad for p in network.parameters()])
    check_equal(gradients[0], gradients[1], rtol=1e-3)
