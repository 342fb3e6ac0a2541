"""The loss over blocks of anchors against that of the whole matrix."""

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from sscd.losses.blocks import Totals, block_rows, contrastive_totals
from sscd.losses.entropy import entropy_loss
from sscd.losses.info_nce import info_nce
from sscd.losses.instance import InfoNCE
from sscd.losses.relations import NO_PICTURE, Relations
from sscd.losses.rows import Remembered, Rows
from tests.losses.live_memory import LiveMemory

TEMPERATURE = 0.2


def random_rows(seed: int, rows: int, *, pictures: int = 6, contents: int = 2) -> Rows:
    """Unit descriptors in float64; some rows show two pictures, some none."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, 5, generator=generator, dtype=torch.float64)
    shown = torch.randint(0, pictures, (rows, contents), generator=generator)
    if contents > 1:
        shown[torch.rand(rows, generator=generator) < 0.6, 1] = NO_PICTURE
        shown[0] = NO_PICTURE
    return Rows(functional.normalize(z, dim=1), shown)


def naive_relations(
    anchors: Tensor,
    gallery: Tensor,
    *,
    first_anchor: int,
    memory: Remembered | None,
    only: Tensor | None = None,
) -> Relations:
    """By sets of pictures, pair by pair."""
    old = memory.rows.contents if memory else gallery[:0]
    shown = [[set(row.tolist()) - {NO_PICTURE} for row in part] for part in (anchors, gallery, old)]
    columns = len(gallery) + len(old)
    positive = torch.zeros(len(anchors), columns, dtype=torch.bool)
    negative = torch.zeros(len(anchors), columns, dtype=torch.bool)
    for i, own in enumerate(shown[0]):
        for j, other in enumerate([*shown[1], *shown[2]]):
            is_old = j >= len(gallery)
            if is_old and memory and not memory.filled[j - len(gallery)]:
                continue
            if only is not None and only[first_anchor + i]:
                continue  # such a row is no anchor
            if j != first_anchor + i:
                can_be_positive = not is_old and (only is None or not only[j])
                positive[i, j] = bool(own & other) and can_be_positive
                negative[i, j] = not own & other
    return Relations(positive, negative)


def whole_matrix(
    anchors: Tensor,
    gallery: Tensor,
    contents: tuple[Tensor, Tensor],
    *,
    first_anchor: int = 0,
    memory: Remembered | None = None,
    only: Tensor | None = None,
) -> Totals:
    """The same sums, from all similarities at once and with autograd's own graph."""
    related = naive_relations(*contents, first_anchor=first_anchor, memory=memory, only=only)
    old = memory.rows.descriptors if memory else gallery[:0]
    everything = torch.cat([gallery, old])
    similarity = anchors @ everything.T
    contrast, contrasted = info_nce(similarity, related, temperature=TEMPERATURE)
    near = len(everything) if memory and memory.entropy else len(gallery)
    entropy, spread = entropy_loss(
        anchors,
        everything,
        similarity[:, :near],
        Relations(related.positive[:, :near], related.negative[:, :near]),
    )
    step = similarity[:, : len(gallery)]
    strange = related.negative[:, : len(gallery)]
    pairs = zip(step.detach(), strange, strict=True)
    nearest = [float(row[others].max()) for row, others in pairs if others.any()]
    positives = similarity.detach()[related.positive]
    counted = [int(contrasted.sum()), int(spread.sum()), float(positives.sum()), len(positives)]
    statistics = torch.tensor([*counted, sum(nearest), len(nearest)], dtype=torch.float64)
    return Totals(contrast.sum(), entropy.sum(), statistics)


def remembered(*, entropy: bool) -> Remembered:
    rows = random_rows(9, 7)
    return Remembered(rows, torch.tensor([True] * 5 + [False] * 2), entropy)


@pytest.mark.parametrize("block", [1, 3, 4, 5, 12, 100, None])
@pytest.mark.parametrize("memory", [None, remembered(entropy=False), remembered(entropy=True)])
@pytest.mark.parametrize("only", [None, torch.arange(16) % 3 == 1])
def test_equals_the_whole_matrix(
    block: int | None, memory: Remembered | None, only: Tensor | None
) -> None:
    rows = random_rows(1, 16)
    first, count = 3, 12

    def gradients(totals: Totals, *leaves: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(0.7 * totals.instance - 1.3 * totals.entropy, leaves)

    pairs = []
    for blocks in (True, False):
        gallery = rows.descriptors.clone().requires_grad_()
        anchors = rows.descriptors[first : first + count].clone().requires_grad_()
        contents = rows.contents[first : first + count]
        if blocks:
            totals = contrastive_totals(
                Rows(anchors, contents),
                Rows(gallery, rows.contents, only),
                first_anchor=first,
                loss=InfoNCE(TEMPERATURE),
                memory=memory,
                block=block,
            )
        else:
            totals = whole_matrix(
                anchors,
                gallery,
                (contents, rows.contents),
                first_anchor=first,
                memory=memory,
                only=only,
            )
        pairs.append((totals, gradients(totals, anchors, gallery)))
    (got, got_gradients), (expected, expected_gradients) = pairs
    torch.testing.assert_close(got.instance, expected.instance)
    torch.testing.assert_close(got.entropy, expected.entropy)
    torch.testing.assert_close(got.statistics, expected.statistics)
    assert got.statistics[0] > 0
    torch.testing.assert_close(got_gradients, expected_gradients)


@pytest.mark.parametrize("block", [2, 100])
def test_gradient(block: int) -> None:
    rows = random_rows(4, 6, pictures=3)
    start = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def loss(x: Tensor) -> tuple[Tensor, Tensor]:
        own = Rows(functional.normalize(x, dim=1), rows.contents)
        totals = contrastive_totals(own, own, loss=InfoNCE(TEMPERATURE), block=block)
        return totals.instance, totals.entropy

    assert torch.autograd.gradcheck(loss, (start.requires_grad_(),))


def test_rows_without_positives_or_negatives_count_for_nothing() -> None:
    z = functional.normalize(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    z.requires_grad_()
    alone = Rows(z, torch.arange(4).unsqueeze(1))
    totals = contrastive_totals(alone, alone, block=3)
    assert (float(totals.instance.detach()), totals.statistics.tolist()[:4]) == (0, [0, 4, 0, 0])
    alike = Rows(z, torch.zeros(4, 1, dtype=torch.int64))
    totals = contrastive_totals(alike, alike, block=3)
    assert totals.statistics.tolist()[:2] == [0, 0]
    assert totals.statistics.tolist()[4:] == [0, 0]
    (gradient,) = torch.autograd.grad(totals.instance + totals.entropy, z)
    assert not gradient.any()


@pytest.mark.parametrize("part", ["instance", "entropy"])
def test_each_part_has_a_gradient_of_its_own(part: str) -> None:
    rows = random_rows(2, 9)
    gradients = []
    for sums in (contrastive_totals, None):
        z = rows.descriptors.clone().requires_grad_()
        own = Rows(z, rows.contents)
        if sums:
            totals = sums(own, own, loss=InfoNCE(TEMPERATURE), block=4)
        else:
            totals = whole_matrix(z, z, (rows.contents, rows.contents))
        gradients.append(torch.autograd.grad(getattr(totals, part), z)[0])
    assert gradients[0].any()
    torch.testing.assert_close(gradients[0], gradients[1])


def test_without_gradients_the_sums_are_the_same() -> None:
    rows = random_rows(2, 9)
    with torch.no_grad():
        plain = contrastive_totals(rows, rows, block=4)
    own = Rows(rows.descriptors.clone().requires_grad_(), rows.contents)
    torch.testing.assert_close(
        plain.instance, contrastive_totals(own, own, block=4).instance.detach(), rtol=0, atol=0
    )
    assert not plain.instance.requires_grad


@pytest.mark.parametrize(("rows", "block"), [(512, 16), (512, 64), (1024, 32)])
def test_memory_grows_with_the_block(rows: int, block: int) -> None:
    z = functional.normalize(torch.randn(rows, 8), dim=1).requires_grad_()
    pictures = torch.arange(rows // 2).repeat_interleave(2)
    mixed = torch.stack([pictures, pictures.roll(7)], dim=1)
    with LiveMemory() as memory:
        totals = contrastive_totals(Rows(z, mixed), Rows(z, mixed), block=block)
        (totals.instance + totals.entropy).backward()  # type: ignore[no-untyped-call]
    assert memory.largest == block * rows
    # Ten float32 matrices of a block, and ten of descriptors and their gradients.
    assert memory.peak <= 10 * 4 * rows * (block + 8)


def test_nothing_is_read_on_the_host() -> None:
    # Fake tensors have no values: what asks for one (`item`, `bool`, `nonzero`) raises.
    with FakeTensorMode(allow_non_fake_inputs=True):
        z = torch.empty(12, 4).requires_grad_()
        rows = Rows(z, torch.empty(12, 2, dtype=torch.int64))
        memory = Remembered(
            Rows(torch.empty(5, 4), torch.empty(5, 2, dtype=torch.int64)),
            torch.empty(5, dtype=torch.bool),
            entropy=True,
        )
        totals = contrastive_totals(rows, rows, memory=memory, block=5)
        (gradient,) = torch.autograd.grad(totals.instance + totals.entropy, z)
    assert gradient.shape == (12, 4)


def test_coarse_products_do_not_reach_the_loss() -> None:
    rows = random_rows(1, 16)
    single = Rows(rows.descriptors.float(), rows.contents)
    expected = contrastive_totals(single, single)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = contrastive_totals(single, single)
        assert torch.get_float32_matmul_precision() == "medium", "as it was found"
    finally:
        torch.set_float32_matmul_precision(before)
    assert got.instance.dtype == torch.float32
    torch.testing.assert_close(got.instance, expected.instance, rtol=0, atol=0)
    torch.testing.assert_close(got.entropy, expected.entropy, rtol=0, atol=0)


def test_blocks_by_default() -> None:
    assert block_rows(8192) * 8192 * 4 == 32 * 2**20
    assert block_rows(10**9) == 1
    assert block_rows(0) > 0


def test_wrong_arguments() -> None:
    rows = random_rows(1, 4)
    with pytest.raises(ValueError, match="block got 0"):
        contrastive_totals(rows, rows, block=0)
    with pytest.raises(ValueError, match="temperature got 0"):
        contrastive_totals(rows, rows, loss=InfoNCE(0))
    with pytest.raises(ValueError, match="first_anchor got 1"):
        contrastive_totals(rows, rows, first_anchor=1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_nothing_waits_for_the_device() -> None:
    z = functional.normalize(torch.randn(64, 8, device="cuda"), dim=1).requires_grad_()
    contents = torch.arange(32, device="cuda").repeat_interleave(2).unsqueeze(1)
    torch.cuda.set_sync_debug_mode("error")
    try:
        totals = contrastive_totals(Rows(z, contents), Rows(z, contents), block=24)
        (totals.instance + totals.entropy).backward()  # type: ignore[no-untyped-call]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert z.grad is not None
    assert z.grad.isfinite().all()
