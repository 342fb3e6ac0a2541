"""Views of training pictures: reproducible, patient with broken files, finished in two places."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sscd.augment.mixup import MixupConfig
from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.augment.seeds import view_rng
from sscd.data.loading import finishing
from sscd.data.loading.finishing import finish_views
from sscd.data.loading.loader import make_loader
from sscd.data.loading.samplers import EpochSampler
from sscd.data.loading.training_views import TrainingViews, collate_views
from sscd.data.loading.view_batch import ViewBatch, join_views
from sscd.data.procedural import draw_picture
from sscd.data.records import ImageSet
from sscd.errors import UserError
from sscd.losses.relations import relations

COUNT = 8


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        noise = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / f"{index}.png")
    return image_set(root)


def image_set(root: Path) -> ImageSet:
    return ImageSet.from_names("test", root=root, names=[f"{i}.png" for i in range(COUNT)])


def views_of(pictures: ImageSet, *, seed: int = 0) -> TrainingViews:
    return TrainingViews(pictures, Recipe(RecipeConfig(), size=32), views=2, seed=seed)


def epoch_of(
    pictures: ImageSet, *, workers: int, epoch: int = 0, rank: int = 0, ranks: int = 1
) -> dict[int, torch.Tensor]:
    sampler = EpochSampler(len(pictures), seed=0, rank=rank, ranks=ranks)
    sampler.set_epoch(epoch)
    loader = make_loader(
        views_of(pictures), collate_views, workers=workers, sampler=sampler, batch_size=2
    )
    seen: dict[int, torch.Tensor] = {}
    for batch in loader:
        assert isinstance(batch, ViewBatch)
        for number, views in zip(batch.contents[:, 0, 0].tolist(), batch.views, strict=True):
            assert number not in seen
            seen[number] = views
    return seen


def test_an_item_holds_different_views(pictures: ImageSet) -> None:
    sample = views_of(pictures)[0, 3]
    assert sample.views.shape == (2, 3, 32, 32)
    assert sample.views.dtype == torch.uint8
    assert not torch.equal(sample.views[0], sample.views[1])


def test_views_do_not_depend_on_workers_or_ranks(pictures: ImageSet) -> None:
    alone = epoch_of(pictures, workers=0)
    assert len(alone) == COUNT
    shares = [epoch_of(pictures, workers=w, rank=r, ranks=2) for r, w in ((0, 2), (1, 0))]
    together = shares[0] | shares[1]
    assert set(shares[0]).isdisjoint(shares[1])
    assert set(together) == set(alone)
    for number, views in together.items():
        assert torch.equal(views, alone[number])


def test_views_and_order_change_with_the_epoch(pictures: ImageSet) -> None:
    first, second = (epoch_of(pictures, workers=0, epoch=e) for e in (0, 1))
    assert list(first) != list(second)
    assert not any(torch.equal(first[n], second[n]) for n in first)
    again = epoch_of(pictures, workers=0, epoch=1)
    assert list(again) == list(second)
    assert all(torch.equal(again[n], second[n]) for n in again)


def test_views_change_with_the_seed(pictures: ImageSet) -> None:
    one, other = (views_of(pictures, seed=s)[0, 0].views for s in (0, 1))
    assert not torch.equal(one, other)


@pytest.fixture
def broken(pictures: ImageSet, tmp_path: Path) -> ImageSet:
    for index in range(COUNT):
        (tmp_path / f"{index}.png").write_bytes(pictures.path(index).read_bytes())
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.png").write_bytes(pictures.path(3).read_bytes()[:200])
    return image_set(tmp_path)


def test_a_broken_training_picture_is_replaced_and_named(broken: ImageSet) -> None:
    dataset = views_of(broken)
    sample = dataset[0, 2]
    assert sample.picture == 4
    assert [Path(u.path).name for u in sample.unreadable] == ["2.png", "3.png"]
    batch = collate_views([dataset[0, 1], sample])
    assert batch.views.shape == (2, 2, 3, 32, 32)
    assert batch.contents.tolist() == [[[1], [1]], [[4], [4]]]
    assert len(batch.unreadable) == 2


def test_a_set_without_a_readable_picture_is_an_error(tmp_path: Path) -> None:
    for index in range(COUNT):
        (tmp_path / f"{index}.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"0\.png and the 7 pictures after it cannot be read"):
        views_of(image_set(tmp_path))[0, 0]


def _large(tmp_path: Path, suffix: str) -> ImageSet:
    y, x = np.mgrid[0:480, 0:640]
    waves = np.stack([128 + 100 * np.sin(x / 23), 128 + 90 * np.cos(y / 31), (x + y) / 5], axis=-1)
    Image.fromarray(waves.astype(np.uint8)).save(tmp_path / f"a{suffix}", quality=95)
    return ImageSet.from_names("test", root=tmp_path, names=[f"a{suffix}"])


def test_views_are_those_of_the_recipe_alone(pictures: ImageSet) -> None:
    sample = views_of(pictures, seed=4)[2, 5]
    recipe = Recipe(RecipeConfig(), size=32)
    for view in range(2):
        with Image.open(pictures.path(5)) as image:
            rng = view_rng(seed=4, epoch=2, image_id=pictures.id(5), view=view)
            alone = np.asarray(recipe(image.convert("RGB"), rng))
        assert np.array_equal(sample.views[view].permute(1, 2, 0).numpy(), alone)


def test_a_jpeg_is_decoded_no_larger_than_its_crops_need(tmp_path: Path) -> None:
    from sscd.data import decode

    config = RecipeConfig("simclr", crop_scale=(0.5, 1.0), jitter_strength=0.0)
    encoded = TrainingViews(_large(tmp_path, ".jpg"), Recipe(config, size=32))
    whole = TrainingViews(_large(tmp_path, ".png"), Recipe(config, size=32))
    reduced: list[int] = []
    original = decode.EncodedImage.load

    def spy(self: decode.EncodedImage, *, reduce: int = 1) -> Image.Image:
        reduced.append(reduce)
        return original(self, reduce=reduce)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode.EncodedImage, "load", spy)
        for epoch in range(20):
            small, full = encoded[epoch, 0].views.float(), whole[epoch, 0].views.float()
            assert (small - full).abs().mean() < 3
    plans = encoded.plans((640, 480), epoch=0, name="a")
    assert reduced[0] == int(min(plan.reduction for plan in plans)) >= 8


def test_what_the_workers_leave_is_finished_on_the_device(pictures: ImageSet) -> None:
    def batch(*, finished: bool) -> ViewBatch:
        recipe = Recipe(RecipeConfig(), size=48)
        dataset = TrainingViews(pictures, recipe, seed=1, finished=finished)
        return collate_views([dataset[0, i] for i in range(COUNT)])

    done, left = batch(finished=True), batch(finished=False)
    assert done.photometric is None
    assert left.photometric is not None
    assert left.photometric.shape[:2] == (COUNT, 2)
    finished = finish_views(left, mixup=MixupConfig(), seed=1)
    assert finished.photometric is None
    assert torch.equal(finished.contents, done.contents)
    error = (finished.views.float() - done.views.float()).square().mean(dim=(2, 3, 4))
    assert error.median() < 25  # 34 dB; noise under JPEG is the hard case
    untouched = (left.views.float() - done.views.float()).square().mean(dim=(2, 3, 4))
    assert untouched.median() > 10 * error.median()


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("sizes", [[8], [4, 4], [3, 3, 2], [1] * 8])
def test_a_batch_is_the_same_whatever_chunks_it_came_in(
    broken: ImageSet, sizes: list[int], finished: bool
) -> None:
    dataset = TrainingViews(broken, Recipe(RecipeConfig(), size=32), seed=1, finished=finished)
    samples = [dataset[2, index] for index in range(COUNT)]
    whole = collate_views(samples)
    source = iter(samples)
    chunks = [collate_views([next(source) for _ in range(size)]) for size in sizes]
    joined = join_views(chunks, COUNT)
    assert torch.equal(joined.views, whole.views)
    assert torch.equal(joined.contents, whole.contents)
    assert joined.unreadable == whole.unreadable
    assert len(joined.unreadable) == 3  # 2.png and 3.png for item 2, and 3.png for item 3
    assert joined.epoch == whole.epoch == 2
    if finished:
        assert joined.photometric is whole.photometric is None
    else:
        assert joined.photometric is not None
        assert whole.photometric is not None
        assert torch.equal(joined.photometric, whole.photometric)


@pytest.mark.parametrize("sizes", [[], [4], [4, 3], [4, 5], [9]])
def test_chunks_that_are_no_batch_are_refused(pictures: ImageSet, sizes: list[int]) -> None:
    dataset = views_of(pictures)
    chunks = [collate_views([dataset[0, i % COUNT] for i in range(size)]) for size in sizes]
    with pytest.raises(ValueError, match="chunks got"):
        join_views(chunks, COUNT)


def test_a_device_may_finish_views_in_portions(
    pictures: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = TrainingViews(pictures, Recipe(RecipeConfig(), size=32), seed=1, finished=False)
    left = collate_views([dataset[0, i] for i in range(COUNT)])
    kept = left.views.clone()
    at_once = finish_views(left, mixup=MixupConfig(), seed=1)
    monkeypatch.setattr(finishing, "FINISHED_AT_ONCE", 3)
    in_portions = finish_views(left, mixup=MixupConfig(), seed=1)
    assert torch.equal(in_portions.views, at_once.views)
    assert torch.equal(left.views, kept)


def test_mixed_views_share_content_and_repeat(pictures: ImageSet) -> None:
    dataset = views_of(pictures)
    batch = collate_views([dataset[3, i] for i in range(COUNT)])
    config = MixupConfig(probability=0.5)
    mixed, again = (finish_views(batch, mixup=config, seed=0) for _ in range(2))
    assert torch.equal(mixed.views, again.views)
    assert torch.equal(mixed.contents, again.contents)
    assert mixed.contents.shape == (COUNT, 2, 2)
    rows = mixed.contents.flatten(0, 1)
    changed = (mixed.views != batch.views).flatten(2).any(dim=2).flatten()
    assert 3 < int(changed.sum()) < 2 * COUNT
    assert torch.equal(changed, (rows != -1).sum(dim=1) == 2)
    related = relations(rows, rows)
    for i, j in related.negative.nonzero().tolist():
        assert not set(rows[i].tolist()) & set(rows[j].tolist()) - {-1}
    other = finish_views(batch._replace(epoch=4), mixup=config, seed=0)
    assert not torch.equal(other.contents, mixed.contents)


@pytest.mark.slow
def test_a_worker_stays_small_over_ten_thousand_pictures(tmp_path: Path) -> None:
    """Under 1.5 GiB; what it keeps (fonts, emoji) is there after the first half."""
    if not Path("/proc/self/status").is_file():
        pytest.skip("no /proc to read a process's memory from")
    for index in range(100):
        picture = draw_picture(seed=0, index=index, size=320)
        picture.save(tmp_path / f"{index}.jpg", quality=90)
    images = ImageSet.from_names("many", root=tmp_path, names=[f"{i}.jpg" for i in range(100)])
    keys = [(number // 100, number % 100) for number in range(10_000)]
    dataset = TrainingViews(images, Recipe(RecipeConfig(), size=96))
    loader = make_loader(dataset, collate_views, workers=1, sampler=keys, batch_size=50)
    own: dict[int, list[float]] = {0: [], 1: []}
    peak = 0.0
    for number, _ in enumerate(loader):
        if number % 100 >= 85:
            (worker,) = multiprocessing.active_children()
            text = Path(f"/proc/{worker.pid}/status").read_text(encoding="utf-8")
            status = dict(line.split(":", 1) for line in text.splitlines())
            # Batches on their way lie in shared memory, which is not the worker's own.
            own[number // 100].append(int(status["RssAnon"].split()[0]) / 1024)
            peak = int(status["VmHWM"].split()[0]) / 1024
    assert peak < 1536
    # The least of several readings: each comes amid some picture's work.
    assert min(own[1]) - min(own[0]) < 20
