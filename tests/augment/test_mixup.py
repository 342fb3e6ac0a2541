from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from sscd.augment.mixup import NO_PICTURE, MixupConfig, mix_views
from sscd.losses import relations as loss_relations
from sscd.losses.relations import relations

BOTH = MixupConfig(probability=1.0)
ONLY_MIXUP = MixupConfig(probability=1.0, cutmix_alpha=0)
ONLY_CUTMIX = MixupConfig(probability=1.0, mixup_alpha=0)


def flat_views(levels: list[int], *, size: int = 8) -> Tensor:
    """One view of a single grey each."""
    column = torch.tensor(levels, dtype=torch.uint8)[:, None, None, None]
    return column.expand(-1, 3, size, size).contiguous()


def random_views(count: int, *, size: int = 9, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def pairs(count: int) -> Tensor:
    """Two rows of each picture, as two views of a batch."""
    return torch.arange(count).repeat_interleave(2)


class Scripted(np.random.Generator):
    """A generator whose λ and centre are given."""

    def __init__(self, *, share: float, centre: float) -> None:
        super().__init__(np.random.PCG64(0))
        self.share, self.centre = share, centre

    def beta(self, a, b, size=None):  # type: ignore[no-untyped-def]
        return np.full(size, self.share)

    def random(self, size=None, *args, **kwargs):  # type: ignore[no-untyped-def]
        return np.full(size, self.centre)


def test_no_picture_is_the_one_of_the_loss() -> None:
    assert NO_PICTURE == loss_relations.NO_PICTURE


def test_mixup_blends_by_hand() -> None:
    mixed = mix_views(
        flat_views([200, 100]), torch.tensor([7, 9]), ONLY_MIXUP, Scripted(share=0.8, centre=0.5)
    )
    # λ = 204/255: 160 + 20 and 80 + 40
    assert torch.equal(mixed.views, flat_views([180, 120]))
    assert mixed.pictures.tolist() == [[7, 9], [9, 7]]


def test_cutmix_pastes_a_box_by_hand() -> None:
    mixed = mix_views(
        flat_views([200, 100]), torch.tensor([7, 9]), ONLY_CUTMIX, Scripted(share=0.75, centre=0.25)
    )
    # 1 − λ = 1/4: a box of half the side, 4 of 8 pixels, around (2, 2)
    expected = torch.full((8, 8), 200)
    expected[:4, :4] = 100
    assert mixed.views[0, 1].tolist() == expected.tolist()
    assert mixed.pictures.tolist() == [[7, 9], [9, 7]]


def test_a_box_is_clipped_at_the_border() -> None:
    mixed = mix_views(
        flat_views([200, 100]), torch.tensor([7, 9]), ONLY_CUTMIX, Scripted(share=0.75, centre=0.0)
    )
    assert (mixed.views[0, 0] == 100).nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("config", "share", "levels", "content"),
    [
        (ONLY_MIXUP, 0.999, [200, 100], [[7, -1], [9, -1]]),
        (ONLY_MIXUP, 0.001, [100, 200], [[-1, 9], [-1, 7]]),
        (ONLY_CUTMIX, 0.9999, [200, 100], [[7, -1], [9, -1]]),
        (ONLY_CUTMIX, 0.0, [100, 200], [[-1, 9], [-1, 7]]),
    ],
)
def test_what_is_not_there_is_not_listed(
    config: MixupConfig, share: float, levels: list[int], content: list[list[int]]
) -> None:
    mixed = mix_views(
        flat_views([200, 100]), torch.tensor([7, 9]), config, Scripted(share=share, centre=0.5)
    )
    assert torch.equal(mixed.views, flat_views(levels))
    assert mixed.pictures.tolist() == content


@pytest.mark.parametrize("config", [ONLY_MIXUP, ONLY_CUTMIX])
def test_rows_hold_their_own_and_unmixed_rows_of_the_named_picture(config: MixupConfig) -> None:
    """A twin that explains each row from the two originals alone, pixel by pixel."""
    views, pictures = random_views(24), pairs(12)
    mixed = mix_views(views, pictures, config, np.random.default_rng(5))
    for row in range(24):
        own, other = mixed.pictures[row].tolist()
        assert own in (int(pictures[row]), NO_PICTURE)
        sources = [int(i) for i in (pictures == other).nonzero()]
        assert any(
            explained(mixed.views[row], views[row], views[source], mixup=config is ONLY_MIXUP)
            for source in sources or [row]
        )


def explained(mixed: Tensor, own: Tensor, other: Tensor, *, mixup: bool) -> bool:
    """Whether some λ or some box makes `mixed` of two pictures."""
    x, a, b = (t.numpy().astype(int) for t in (mixed, own, other))
    if mixup:
        return any((x == (w * a + (255 - w) * b + 127) // 255).all() for w in range(256))
    ours, theirs = (x == a).all(axis=0), (x == b).all(axis=0)
    rows, columns = np.nonzero(~ours)
    if not len(rows):
        return True
    box = np.zeros_like(ours)
    box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    return bool((theirs[box]).all() and ours[~box].all())


def test_partners_are_uniform_over_rows_of_other_pictures() -> None:
    pictures = torch.tensor([4, 1, 4, 2, 1, 4])
    views = flat_views([0, 10, 20, 30, 40, 50], size=1)
    rng = np.random.default_rng(0)
    seen = np.zeros((6, 6), dtype=int)
    config = MixupConfig(probability=1.0, mixup_alpha=0, cutmix_alpha=1e-6)  # λ is 0 or 1
    for _ in range(2000):
        mixed = mix_views(views, pictures, config, rng)
        for row, level in enumerate(mixed.views[:, 0, 0, 0].tolist()):
            seen[row, level // 10] += 1
    for row in range(6):
        others = (pictures != pictures[row]).numpy()
        assert seen[row, ~others].sum() == seen[row, row]  # of its own picture, only itself
        assert stats.chisquare(seen[row, others]).pvalue > 0.001


def test_a_batch_of_one_picture_is_not_mixed() -> None:
    views = random_views(4)
    mixed = mix_views(views, torch.tensor([3, 3, 3, 3]), BOTH, np.random.default_rng(0))
    assert torch.equal(mixed.views, views)
    assert mixed.pictures.tolist() == [[3, NO_PICTURE]] * 4


@pytest.mark.parametrize("count", [0, 1])
def test_small_batches(count: int) -> None:
    mixed = mix_views(random_views(count), torch.arange(count), BOTH, np.random.default_rng(0))
    assert mixed.views.shape == (count, 3, 9, 9)
    assert mixed.pictures.shape == (count, 2)


def test_probability_zero_returns_the_input() -> None:
    views, pictures = random_views(10), pairs(5)
    mixed = mix_views(views, pictures, MixupConfig(), np.random.default_rng(0))
    assert torch.equal(mixed.views, views)
    assert mixed.pictures[:, 0].tolist() == pictures.tolist()
    assert mixed.pictures[:, 1].tolist() == [NO_PICTURE] * 10


def test_the_input_stays_as_it_is() -> None:
    views, pictures = random_views(10), pairs(5)
    before = views.clone(), pictures.clone()
    mixed = mix_views(views, pictures, BOTH, np.random.default_rng(0))
    assert not torch.equal(mixed.views, views)
    assert torch.equal(views, before[0])
    assert torch.equal(pictures, before[1])


def test_equal_generators_mix_equally_in_any_memory_format() -> None:
    views, pictures = random_views(40), pairs(20)
    first = mix_views(views, pictures, BOTH, np.random.default_rng(3))
    second = mix_views(
        views.to(memory_format=torch.channels_last), pictures, BOTH, np.random.default_rng(3)
    )
    other = mix_views(views, pictures, BOTH, np.random.default_rng(4))
    assert torch.equal(first.views, second.views)
    assert torch.equal(first.pictures, second.pictures)
    assert not torch.equal(first.pictures, other.pictures)


def test_share_of_mixed_rows() -> None:
    count = 4000
    config = MixupConfig(probability=0.05)
    mixed = mix_views(
        random_views(count, size=4), torch.arange(count), config, np.random.default_rng(1)
    )
    share = int((mixed.pictures[:, 1] != NO_PICTURE).sum())
    # a few boxes of a 4-pixel view are empty, so the share is a little below .05
    low, high = stats.binom.ppf([0.001, 0.999], count, 0.05)
    assert low * 0.9 <= share <= high


def test_switch_is_the_share_of_cutmix() -> None:
    count = 2000
    config = MixupConfig(probability=1.0, switch=0.3)
    levels = flat_views([0, 255] * (count // 2))
    mixed = mix_views(levels, torch.arange(count) % 2, config, np.random.default_rng(2))
    blended = ((mixed.views != 0) & (mixed.views != 255)).flatten(1).any(dim=1)
    assert stats.binomtest(int((~blended).sum()), count, 0.3).pvalue > 0.01


@pytest.mark.parametrize("alpha", [2.0, 0.7])
def test_weights_of_mixup_are_beta(alpha: float) -> None:
    count = 4000
    config = MixupConfig(probability=1.0, mixup_alpha=alpha, cutmix_alpha=0)
    views = flat_views([0, 255] * (count // 2), size=1)
    mixed = mix_views(views, torch.arange(count) % 2, config, np.random.default_rng(3))
    level = mixed.views[:, 0, 0, 0].double().numpy() / 255
    own = np.where(np.arange(count) % 2, level, 1 - level)
    own += np.random.default_rng(0).uniform(-0.5, 0.5, count) / 255  # undo the 8 bits' ties
    assert stats.kstest(own, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_boxes_of_cutmix_are_beta_where_they_are_not_clipped() -> None:
    """A clipped box touches the border; of the others the side is that of the area 1 − λ."""
    count, size = 3000, 64
    views = flat_views([0, 255] * (count // 2), size=size)
    mixed = mix_views(views, torch.arange(count) % 2, ONLY_CUTMIX, np.random.default_rng(4))
    pasted = mixed.views[:, 0] != views[:, 0]
    sides, expected = [], []
    rng = np.random.default_rng(5)
    for mask in pasted.numpy():
        rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
        if len(rows):
            sides.append(len(rows) * len(columns) / size**2)
    for _ in range(len(sides)):  # the naive twin: the same clipping, one box at a time
        side = np.sqrt(1 - rng.beta(2, 2))
        spans = [
            min(1.0, middle + side / 2) - max(0.0, middle - side / 2) for middle in rng.random(2)
        ]
        expected.append(spans[0] * spans[1])
    assert stats.ks_2samp(sides, expected).pvalue > 0.01


def test_rows_that_share_content_are_never_negatives() -> None:
    """Pixels are random, so that each tells which view it comes from."""
    count = 16
    views = random_views(count, size=16, seed=9)
    pictures = pairs(count // 2)
    mixed = mix_views(views, pictures, ONLY_CUTMIX, np.random.default_rng(6))
    related = relations(mixed.pictures, mixed.pictures)
    shown = [
        {
            int(pictures[source])
            for source in range(count)
            if (mixed.views[row] == views[source]).all(dim=0).any()
        }
        for row in range(count)
    ]
    mixtures = 0
    for row in range(count):
        mixtures += len(shown[row]) > 1
        for other in range(count):
            if row != other:
                share = bool(shown[row] & shown[other])
                assert bool(related.positive[row, other]) == share
                assert bool(related.negative[row, other]) == (not share)
    assert mixtures > count // 2


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"probability": 1.1}, "probability got"),
        ({"switch": -0.1}, "switch got"),
        ({"mixup_alpha": -1.0}, "mixup_alpha got"),
        ({"cutmix_alpha": float("nan")}, "cutmix_alpha got"),
        ({"probability": 0.1, "mixup_alpha": 0.0, "cutmix_alpha": 0.0}, "expected one above 0"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        MixupConfig(**values)


def test_batches_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="views got"):
        mix_views(random_views(4).float(), torch.arange(4), BOTH, rng)
    with pytest.raises(ValueError, match="pictures got"):
        mix_views(random_views(4), torch.arange(3), BOTH, rng)
    with pytest.raises(ValueError, match="pictures got -1"):
        mix_views(random_views(2), torch.tensor([0, -1]), BOTH, rng)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_mixes_as_the_cpu_does() -> None:
    views, pictures = random_views(64, size=33), pairs(32)
    expected = mix_views(views, pictures, BOTH, np.random.default_rng(7))
    on_device = views.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        mixed = mix_views(on_device, pictures, BOTH, np.random.default_rng(7))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(mixed.views.cpu(), expected.views)
    assert torch.equal(mixed.pictures.cpu(), expected.pictures)
