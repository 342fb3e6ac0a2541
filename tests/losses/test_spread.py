"""Entropies over blocks of anchors, with and without memory, against the whole batch at once."""

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from sscd.losses.blocks import contrastive_totals
from sscd.losses.info_nce import info_nce
from sscd.losses.instance import InfoNCE
from sscd.losses.rows import Remembered, Rows
from sscd.losses.spread import LogDet, Nearest, Spread, Uniformity
from tests.losses.live_memory import LiveMemory
from tests.losses.test_blocks import naive_relations, random_rows, remembered

KINDS: list[Spread] = [Uniformity(t=1.5), LogDet(squared_error=0.4)]
FIRST, COUNT = 3, 12


def whole_loss(
    kind: Spread, anchors: Tensor, gallery: Tensor, contents: Tensor, memory: Remembered | None
) -> Tensor:
    """The loss of these anchors from all rows at once, in autograd's own graph."""
    looked_at = memory is not None and memory.entropy
    old = memory.rows.descriptors if memory is not None and looked_at else gallery[:0]
    if isinstance(kind, LogDet):
        filled = old[memory.filled] if memory is not None and looked_at else old
        z = torch.cat([gallery, filled])
        scale = z.shape[1] / (len(z) * kind.squared_error)
        unit = torch.eye(z.shape[1], dtype=z.dtype)
        return -torch.logdet(unit + scale * z.T @ z) / (2 * z.shape[1])
    related = naive_relations(
        contents[FIRST : FIRST + COUNT],
        contents,
        first_anchor=FIRST,
        memory=memory if looked_at else None,
    )
    pairs = related.negative.nonzero().tolist()
    others = torch.cat([gallery, old])
    distances = torch.stack([(anchors[i] - others[j]).square().sum() for i, j in pairs])
    assert isinstance(kind, Uniformity)
    return torch.exp(-kind.t * distances).mean().log()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", [1, 5, None])
@pytest.mark.parametrize("memory", [None, remembered(entropy=False), remembered(entropy=True)])
def test_equals_the_whole_batch(kind: Spread, block: int | None, memory: Remembered | None) -> None:
    rows = random_rows(1, 16)
    own = rows.descriptors[FIRST : FIRST + COUNT]
    found = []
    for blocks in (True, False):
        leaves = [part.clone().requires_grad_() for part in (own, rows.descriptors)]
        # On the sphere alone 2 − 2s is the squared distance, for the gradient too.
        anchors, gallery = (functional.normalize(leaf, dim=1) for leaf in leaves)
        if blocks:
            totals = contrastive_totals(
                Rows(anchors, rows.contents[FIRST : FIRST + COUNT]),
                Rows(gallery, rows.contents),
                first_anchor=FIRST,
                spread=kind,
                memory=memory,
                block=block,
            )
            mean = totals.entropy / totals.statistics[1]
            loss = kind.share(mean, mean.detach(), ranks=1)
            torch.testing.assert_close(loss, kind.loss(mean))
        else:
            loss = whole_loss(kind, anchors, gallery, rows.contents, memory)
        gradients = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
        assert gradients[1].any()
        found.append((loss.detach(), *gradients))
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("memory", [None, remembered(entropy=True)])
def test_hard_negatives_in_blocks_equal_the_whole_matrix(memory: Remembered | None) -> None:
    rows = random_rows(1, 16)
    old = memory.rows.descriptors if memory else rows.descriptors[:0]
    related = naive_relations(rows.contents, rows.contents, first_anchor=0, memory=memory)
    found = []
    for block in (5, None):
        z = rows.descriptors.clone().requires_grad_()
        if block:
            own = Rows(z, rows.contents)
            loss = InfoNCE(0.2, hardness=0.7)
            total = contrastive_totals(own, own, loss=loss, memory=memory, block=block).instance
        else:
            similarity = z @ torch.cat([z, old]).T
            total = info_nce(similarity, related, temperature=0.2, hardness=0.7)[0].sum()
        found.append((total.detach(), *torch.autograd.grad(total, z)))
    torch.testing.assert_close(found[0], found[1])


def test_shares_of_ranks_add_up_to_the_logarithm() -> None:
    means = [torch.tensor(x, requires_grad=True) for x in (0.1, 0.3)]
    everywhere = torch.tensor(0.4)
    shares = [Uniformity().share(mean, everywhere, ranks=2) for mean in means]
    torch.testing.assert_close(torch.stack(shares).sum(), everywhere.log())
    for share, mean in zip(shares, means, strict=True):
        (slope,) = torch.autograd.grad(share, mean)
        assert float(slope) == pytest.approx(1 / 0.4)


@pytest.mark.parametrize("kind", [Nearest(), *KINDS])
def test_of_one_picture_nothing_is_not_finite(kind: Spread) -> None:
    z = torch.eye(4).requires_grad_()
    rows = Rows(z, torch.zeros(4, 1, dtype=torch.int64))
    totals = contrastive_totals(rows, rows, spread=kind)
    mean = totals.entropy / totals.statistics[1].clamp(min=1)
    loss = kind.share(mean, mean.detach(), ranks=1)
    (gradient,) = torch.autograd.grad(loss, z)
    assert gradient.isfinite().all()
    expected = 0.0 if not isinstance(kind, LogDet) else float(kind.loss(mean.detach()))
    assert float(loss.detach()) == float(kind.loss(mean.detach())) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_memory_grows_with_the_block(kind: Spread) -> None:
    rows, block = 512, 16
    z = functional.normalize(torch.randn(rows, 8), dim=1).requires_grad_()
    pictures = torch.arange(rows // 2).repeat_interleave(2).unsqueeze(1)
    with LiveMemory() as memory:
        own = Rows(z, pictures)
        totals = contrastive_totals(own, own, spread=kind, block=block)
        (totals.instance + totals.entropy).backward()  # type: ignore[no-untyped-call]
    assert memory.largest == block * rows
    assert memory.peak <= 10 * 4 * rows * (block + 8)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_read_on_the_host(kind: Spread) -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):
        z = torch.empty(12, 4).requires_grad_()
        rows = Rows(z, torch.empty(12, 2, dtype=torch.int64))
        totals = contrastive_totals(rows, rows, spread=kind, block=5)
        (gradient,) = torch.autograd.grad(totals.instance + totals.entropy, z)
    assert gradient.shape == (12, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_coarse_products_do_not_reach_the_loss(kind: Spread) -> None:
    rows = random_rows(1, 16)
    single = Rows(rows.descriptors.float(), rows.contents)
    expected = contrastive_totals(single, single, spread=kind)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = contrastive_totals(single, single, spread=kind)
    assert got.entropy.dtype == torch.float32
    torch.testing.assert_close(got.entropy, expected.entropy, rtol=0, atol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_waits_for_the_device(kind: Spread) -> None:
    z = functional.normalize(torch.randn(64, 8, device="cuda"), dim=1).requires_grad_()
    contents = torch.arange(32, device="cuda").repeat_interleave(2).unsqueeze(1)
    warm = contrastive_totals(Rows(z, contents), Rows(z, contents), spread=kind)  # loads cuSOLVER
    warm.entropy.backward()  # type: ignore[no-untyped-call]
    torch.cuda.set_sync_debug_mode("error")
    try:
        totals = contrastive_totals(Rows(z, contents), Rows(z, contents), spread=kind, block=24)
        totals.entropy.backward()  # type: ignore[no-untyped-call]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert z.grad is not None
    assert z.grad.isfinite().all()
