"""Overlays and collages against a naive twin that averages areas pixel by pixel."""

import hashlib
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from sscd.augment import pasting
from sscd.augment.mixup import NO_PICTURE, MixupConfig, mix_views
from sscd.augment.pasting import Layout, draw_collages, draw_overlays, paste
from sscd.losses.relations import relations
from tests.augment.test_mixup import flat_views, pairs, random_views

OVERLAY = MixupConfig(overlay=1.0)
COLLAGE = MixupConfig(collage=1.0)
ALL = MixupConfig(probability=0.2, overlay=0.3, collage=0.4)

Box = tuple[int, int, int, int]


def naive_means(column: list[int], size: int) -> list[int]:
    """A line of pixels shrunk to `size`, each the mean of what it covers, in fractions."""
    step = Fraction(len(column), size)
    means = []
    for place in range(size):
        start, stop = place * step, (place + 1) * step
        pixels = [Fraction(j) for j in range(len(column))]
        covered = [max(min(j + 1, stop) - max(j, start), Fraction(0)) for j in pixels]
        weighed = sum(part * value for part, value in zip(covered, column, strict=True))
        means.append(floor(Fraction(weighed) / step + Fraction(1, 2)))
    return means


def naive_shrink(view: Tensor, height: int, width: int) -> Tensor:
    """(3, height, width): first down the columns, then along the rows, as documented."""
    planes = []
    for plane in view.tolist():
        down = np.array(
            [naive_means(list(column), height) for column in zip(*plane, strict=True)]
        ).T
        planes.append([naive_means(list(row), width) for row in down.tolist()])
    return torch.tensor(planes, dtype=torch.uint8)


def naive_paste(own: Tensor, other: Tensor, own_box: Box, other_box: Box) -> Tensor:
    made = torch.zeros_like(own)
    for view, (top, bottom, left, right) in ((other, other_box), (own, own_box)):
        made[:, top:bottom, left:right] = naive_shrink(view, bottom - top, right - left)
    return made


def one_layout(own: Box, other: Box) -> Layout:
    return Layout(np.array([0]), np.array([1]), np.array([own]), np.array([other]))


def test_an_overlay_by_hand() -> None:
    views = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    views[0] = torch.tensor([[0, 10, 20, 30], [2, 12, 20, 31], [4, 4, 7, 7], [4, 4, 7, 7]])
    views[1] = 99
    made = paste(views, views, one_layout((1, 3, 2, 4), (0, 4, 0, 4)))
    # Down: (0 + 2)/2 = 1, 11, 20, 30.5 → 31; then along: (1 + 11)/2 = 6, (20 + 31)/2 = 25.5 → 26.
    assert made[0, 0].tolist() == [[99] * 4, [99, 99, 6, 26], [99, 99, 4, 7], [99] * 4]
    assert torch.equal(made[1], views[1])


@pytest.mark.parametrize("draw", [draw_overlays, draw_collages])
def test_equals_the_naive_twin(draw: object) -> None:
    views = random_views(12, size=7)[:, :, :, :6]  # not square, to tell rows from columns
    rows, partners = np.arange(0, 12, 2), np.arange(12)[::-1][:6].copy()
    rng = np.random.default_rng(0)
    settings = {"sides": (0.3, 0.8)} if draw is draw_overlays else {}
    layout = draw(rows, partners, rng, height=7, width=6, **settings)  # type: ignore[operator]
    made = paste(views, views, layout)
    for row, partner, own, other in zip(*layout, strict=True):
        expected = naive_paste(views[row], views[partner], tuple(own), tuple(other))
        assert torch.equal(made[row], expected)
    untouched = sorted(set(range(12)) - set(rows.tolist()))
    assert torch.equal(made[untouched], views[untouched])


@pytest.mark.parametrize("size", [1, 9, 224, 257])
def test_whole_numbers_are_exact(size: int) -> None:
    """Against 64-bit integers, at sizes where float32 holds every sum."""
    views = random_views(2, size=size)
    box = (0, max(1, size * 3 // 5), 0, max(1, size // 3))
    made = paste(views, views, one_layout(box, (0, size, 0, size)))
    sums = views[0].to(torch.int64)
    for axis, stop in ((1, box[1]), (2, box[3])):
        place = torch.arange(size)
        start, after = place * stop, torch.arange(stop)[:, None] * size
        overlap = torch.minimum(after + size, start + stop) - torch.maximum(after, start)
        sums = torch.tensordot(sums, overlap.clamp(min=0), dims=([axis], [1])).movedim(-1, axis)
        sums = (sums + size // 2) // size
    assert torch.equal(made[0, :, : box[1], : box[3]], sums.to(torch.uint8))
    assert torch.equal(made[0, :, box[1] :], views[1, :, box[1] :])


def test_flat_views_stay_flat() -> None:
    views = flat_views([255, 3], size=31)
    for config in (OVERLAY, COLLAGE):
        mixed = mix_views(views, torch.tensor([0, 1]), config, np.random.default_rng(1))
        assert set(mixed.views.flatten().tolist()) == {3, 255}
        assert mixed.pictures.tolist() == [[0, 1], [1, 0]]


def test_more_rows_than_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    views = random_views(40)
    whole = mix_views(views, pairs(20), OVERLAY, np.random.default_rng(2))
    monkeypatch.setattr(pasting, "_AT_ONCE", 7)
    parts = mix_views(views, pairs(20), OVERLAY, np.random.default_rng(2))
    assert torch.equal(whole.views, parts.views)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_layouts_are_arrays_that_torch_takes_without_a_warning(count: int) -> None:
    rows, rng = np.arange(count), np.random.default_rng(0)
    drawn = (
        draw_overlays(rows, rows, rng, sides=(0.3, 0.8), height=8, width=8),
        draw_collages(rows, rows, rng, height=8, width=8),
    )
    for layout in drawn:
        assert all(part.flags.writeable for part in layout)
        assert layout.other.shape == layout.own.shape == (count, 4)


def test_sides_and_places_of_overlays_are_uniform() -> None:
    count, size = 3000, 1000
    layout = draw_overlays(
        np.arange(count),
        np.arange(count),
        np.random.default_rng(3),
        sides=(0.3, 0.8),
        height=size,
        width=size,
    )
    top, bottom, left, right = layout.own.T
    assert (bottom - top == right - left).all()
    assert stats.kstest((bottom - top) / size, stats.uniform(0.3, 0.5).cdf).pvalue > 0.01
    for start in (top, left):
        share = start / (size - (bottom - top))
        assert stats.kstest(share, stats.uniform().cdf).pvalue > 0.01
    assert layout.other.tolist() == [[0, size, 0, size]] * count


def test_collages_cover_the_view_in_all_four_ways() -> None:
    count, size = 400, 300
    layout = draw_collages(
        np.arange(count), np.arange(count), np.random.default_rng(4), height=size, width=size
    )
    ways = set()
    for own, other in zip(layout.own, layout.other, strict=True):
        cover = np.zeros((size, size), dtype=int)
        for top, bottom, left, right in (own, other):
            cover[top:bottom, left:right] += 1
            assert min(bottom - top, right - left) >= size // 3
        assert (cover == 1).all()
        ways.add((own[0] == other[0], own[0] > 0 or own[2] > 0))
    assert len(ways) == 4


def recorded(views: Tensor, pictures: Tensor, config: MixupConfig, *, seed: int) -> list[Layout]:
    """The layouts of a batch."""
    seen: list[Layout] = []
    with pytest.MonkeyPatch.context() as patch:
        real = paste

        def note(views: Tensor, originals: Tensor, layout: Layout) -> Tensor:
            seen.append(layout)
            return real(views, originals, layout)

        patch.setattr("sscd.augment.mixup.paste", note)
        mix_views(views, pictures, config, np.random.default_rng(seed))
    return seen


def test_each_kind_has_its_own_share() -> None:
    count = 4000
    views, pictures = random_views(count, size=3), torch.arange(count)
    overlays, collages = recorded(views, pictures, ALL, seed=6)
    assert stats.binomtest(len(overlays.rows), count, 0.3).pvalue > 0.01
    assert stats.binomtest(len(collages.rows), count, 0.4).pvalue > 0.01
    assert not set(overlays.rows) & set(collages.rows)


def test_the_published_kinds_draw_as_ever() -> None:
    """Of the code before there were overlays."""
    mixed = mix_views(
        random_views(24), pairs(12), MixupConfig(probability=0.5), np.random.default_rng(3)
    )
    digest = hashlib.sha256(mixed.views.numpy().tobytes() + mixed.pictures.numpy().tobytes())
    assert digest.hexdigest()[:16] == "c62ff5e797bd1914"


def test_overlays_leave_what_is_blended_as_it_is() -> None:
    views, pictures = random_views(200), pairs(100)
    alone, beside = (
        mix_views(views, pictures, config, np.random.default_rng(7))
        for config in (MixupConfig(probability=0.2), ALL)
    )
    blended = alone.pictures[:, 1] != NO_PICTURE
    assert blended.any()
    assert torch.equal(alone.views[blended], beside.views[blended])
    assert torch.equal(alone.pictures[blended], beside.pictures[blended])


def test_both_pictures_are_positives_and_no_negatives() -> None:
    pictures = pairs(20)
    mixed = mix_views(random_views(40), pictures, OVERLAY, np.random.default_rng(8))
    related = relations(mixed.pictures, mixed.pictures)
    assert (mixed.pictures != NO_PICTURE).all()
    for row in range(40):
        shown = set(mixed.pictures[row].tolist())
        assert int(pictures[row]) in shown
        for other in set(range(40)) - {row}:
            share = bool(shown & set(mixed.pictures[other].tolist()))
            assert bool(related.positive[row, other]) == share
            assert bool(related.negative[row, other]) != share


@pytest.mark.parametrize("config", [OVERLAY, COLLAGE])
def test_small_batches_and_views_of_a_pixel(config: MixupConfig) -> None:
    rng = np.random.default_rng(0)
    for count in (0, 1):
        assert (
            mix_views(random_views(count), torch.arange(count), config, rng).pictures.shape[1] == 2
        )
    alone = mix_views(random_views(4), torch.zeros(4, dtype=torch.int64), config, rng)
    assert alone.pictures.tolist() == [[0, NO_PICTURE]] * 4
    views = flat_views([200, 100], size=1)
    for _ in range(8):
        mixed = mix_views(views, torch.tensor([7, 9]), config, rng)
        for level, shown in zip(
            mixed.views[:, 0, 0, 0].tolist(), mixed.pictures.tolist(), strict=True
        ):
            assert [p for p in shown if p != NO_PICTURE] == [{200: 7, 100: 9}[level]]


def test_any_memory_format_and_untouched_input() -> None:
    views, pictures = random_views(40), pairs(20)
    before = views.clone()
    first = mix_views(views, pictures, ALL, np.random.default_rng(3))
    second = mix_views(
        views.to(memory_format=torch.channels_last), pictures, ALL, np.random.default_rng(3)
    )
    assert torch.equal(first.views, second.views)
    assert not torch.equal(first.views, views)
    assert torch.equal(views, before)


def test_autocast_does_not_reach_the_pixels() -> None:
    views = random_views(8, size=64)
    plain = mix_views(views, pairs(4), OVERLAY, np.random.default_rng(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = mix_views(views, pairs(4), OVERLAY, np.random.default_rng(3))
    assert torch.equal(plain.views, cast.views)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"overlay": -0.1}, "overlay got -0.1; expected 0 to 1"),
        ({"collage": 1.5}, "collage got 1.5; expected 0 to 1"),
        ({"overlay": float("nan")}, "overlay got nan"),
        ({"probability": 0.5, "overlay": 0.4, "collage": 0.2}, "expected at most 1"),
        ({"overlay_side": (0.8, 0.3)}, "expected two rising shares"),
        ({"overlay_side": (0.01, 0.3)}, "expected two rising shares"),
        ({"overlay_side": (0.3, 1.0)}, "expected two rising shares"),
        ({"overlay_side": (0.3,)}, "expected two rising shares"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        MixupConfig(**values)


def test_shares_may_add_up_to_one() -> None:
    assert MixupConfig(probability=0.7, overlay=0.2, collage=0.1).mixes
    assert not MixupConfig().mixes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_pastes_as_the_cpu_does() -> None:
    views, pictures = random_views(64, size=224), pairs(32)
    expected = mix_views(views, pictures, ALL, np.random.default_rng(7))
    on_device = views.cuda()
    torch.set_float32_matmul_precision("medium")
    torch.cuda.set_sync_debug_mode("error")
    try:
        mixed = mix_views(on_device, pictures, ALL, np.random.default_rng(7))
    finally:
        torch.cuda.set_sync_debug_mode("default")
        torch.set_float32_matmul_precision("highest")
    assert torch.equal(mixed.views.cpu(), expected.views)
    assert torch.equal(mixed.pictures.cpu(), expected.pictures)
