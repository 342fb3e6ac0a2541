"""The pictures that a benchmark may use."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sscd.data.benchmark.pool import Pool, find_pool
from sscd.data.benchmark.request import BenchmarkRequest
from sscd.data.listing import scan_images
from sscd.errors import UserError
from tests.data.benchmark.requests import SMALL

REQUEST = replace(SMALL, references=2, queries=1, distractors=1, training=3, extras=1)


def _noise(seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((48, 48), Image.Resampling.NEAREST)


def _find(root: Path, cache: Path, request: BenchmarkRequest = REQUEST) -> Pool:
    return find_pool(scan_images(root, name="photos"), request, cache=cache, workers=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        _noise(number).save(folder / f"{number}.png")
    _noise(0).resize((60, 60), Image.Resampling.BICUBIC).save(folder / "larger.png")
    ImageOps.mirror(_noise(1)).save(folder / "mirrored.png")
    (folder / "broken.jpg").write_bytes(b"x")
    return folder


def test_one_of_each_near_copy_and_mirror_image_is_kept(root: Path, tmp_path: Path) -> None:
    pool = _find(root, tmp_path / "c")
    assert (pool.found, pool.near_copies, len(pool.images)) == (15, 2, 12)
    assert pool.unreadable == ((root / "broken.jpg", "not a picture of a known format"),)
    kept = set(pool.images.ids)
    assert len(kept & {"0", "larger"}) == 1
    assert len(kept & {"1", "mirrored"}) == 1
    assert kept >= {str(number) for number in range(2, 12)}


def test_blank_pictures_are_left_out(root: Path, tmp_path: Path) -> None:
    Image.new("RGB", (200, 150), "white").save(root / "white.png")
    _noise(50).resize((400, 31)).save(root / "line.png")
    Image.new("RGB", (1, 1)).save(root / "dot.png")
    pool = _find(root, tmp_path / "c")
    assert (pool.found, pool.blank, len(pool.images)) == (18, 3, 12)
    assert not {"white", "line", "dot"} & set(pool.images.ids)


def test_the_order_is_that_of_the_seed_and_a_picture_more_moves_none(
    root: Path, tmp_path: Path
) -> None:
    first = _find(root, tmp_path / "c").images.ids
    other = _find(root, tmp_path / "c", replace(REQUEST, seed=1)).images.ids
    assert first != sorted(first)
    assert first != other
    _noise(99).save(root / "new.png")
    after = _find(root, tmp_path / "c").images.ids
    assert [image_id for image_id in after if image_id != "new"] == first


def test_too_few_pictures_are_said_with_the_arithmetic(root: Path, tmp_path: Path) -> None:
    request = replace(REQUEST, references=6, training=9)
    with pytest.raises(UserError) as caught:
        _find(root, tmp_path / "c", request)
    message = str(caught.value)
    assert "18 pictures are needed (6 references + 2 distractors + 1 extras + 9 train" in message
    assert "holds 15, of which 1 cannot be read, 0 are too small" in message
    assert "and 2 are near-copies, so 12 are left" in message
    assert "--training 3 would fit" in message
    with pytest.raises(UserError, match="ask for fewer references"):
        _find(root, tmp_path / "c", replace(REQUEST, references=30))
