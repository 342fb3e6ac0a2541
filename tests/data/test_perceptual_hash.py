import os
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from sscd.data import perceptual_hash as module
from sscd.data.decode import load_image
from sscd.data.listing import scan_images
from sscd.data.perceptual_hash import hash_images, perceptual_hash, perceptual_hashes
from sscd.errors import UserError

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "photos"


def _noise(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return Image.fromarray(values)


def _imagehash(image: Image.Image) -> int:
    return int(str(imagehash.phash(image)), 16)


def _folder(root: Path, count: int) -> Path:
    root.mkdir()
    for number in range(count):
        _noise(number).save(root / f"{number}.png")
    return root


def test_equal_to_imagehash_on_noise() -> None:
    for seed in range(50):
        image = _noise(seed, size=(20 + seed, 90 - seed))
        assert int(perceptual_hash(image)) == _imagehash(image)


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the shared photographs are not here")
def test_equal_to_imagehash_on_photographs() -> None:
    for path in sorted(PHOTOS.glob("*_0007.jpg"))[:60]:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
        assert int(perceptual_hash(rgb)) == _imagehash(rgb), path.name


def test_hand_computed_hashes() -> None:
    # All but the mean are 0, and so is the median: one bit is above it, the highest.
    assert perceptual_hash(Image.new("RGB", (50, 50), "grey")) == np.uint64(1 << 63)
    # Nothing at all is above the median of a black picture.
    assert perceptual_hash(Image.new("RGB", (50, 50))) == np.uint64(0)
    # White to the left, black to the right: odd horizontal frequencies 1 and 5 are positive.
    half = Image.new("RGB", (32, 32))
    half.paste("white", (0, 0, 16, 32))
    assert perceptual_hash(half) == np.uint64(0b11000100 << 56)


def test_small_edits_change_few_bits() -> None:
    image = Image.effect_noise((64, 64), 80).resize((16, 16)).resize((256, 256)).convert("RGB")
    smaller = image.resize((100, 90), Image.Resampling.BICUBIC)
    assert np.bitwise_count(perceptual_hash(image) ^ perceptual_hash(smaller)) <= 6
    assert np.bitwise_count(perceptual_hash(image) ^ perceptual_hash(_noise(1))) > 12


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the shared photographs are not here")
def test_mirrored_hashes_are_those_of_mirrored_photographs() -> None:
    for path in sorted(PHOTOS.glob("*_0003.jpg"))[:60]:
        image = load_image(path)
        own, mirrored = perceptual_hashes(image)
        assert own == perceptual_hash(image), path.name
        assert mirrored == perceptual_hash(ImageOps.mirror(image)), path.name
        assert own != mirrored, path.name


def test_a_hand_computed_mirrored_hash() -> None:
    # White to the left: frequencies 1 and 5 are positive, 3 and 7 negative. Mirrored, the other way
    # round.
    half = Image.new("RGB", (32, 32))
    half.paste("white", (0, 0, 16, 32))
    own, mirrored = perceptual_hashes(half)
    assert (own, mirrored) == (np.uint64(0b11000100 << 56), np.uint64(0b10010001 << 56))


def test_unreadable_pictures_are_marked_and_named(tmp_path: Path) -> None:
    root = _folder(tmp_path / "photos", 4)
    (root / "2.png").write_bytes(b"")
    images = scan_images(root, name="photos").images
    one = hash_images(images, workers=1)
    two = hash_images(images, workers=2)
    assert one.readable.tolist() == [True, True, False, True]
    assert one.failures == two.failures == ((root / "2.png", "empty file"),)
    assert one.hashes.dtype == np.uint64
    np.testing.assert_array_equal(one.hashes, two.hashes)
    np.testing.assert_array_equal(one.mirrored, two.mirrored)
    assert one.mirrored[0] == perceptual_hash(ImageOps.mirror(_noise(0)))
    assert one.mirrored[2] == 0
    assert int(one.hashes[3]) == _imagehash(_noise(3))


def test_the_cache_is_used_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = _folder(tmp_path / "photos", 3), tmp_path / "cache"
    (root / "1.png").write_bytes(b"broken")
    images = scan_images(root, name="photos").images
    first = hash_images(images, workers=1, cache=cache)
    decoded: list[str] = []
    original = load_image

    def counting(path: Path, *, draft: int | None = None) -> Image.Image:
        decoded.append(path.name)
        return original(path, draft=draft)

    monkeypatch.setattr(module, "load_image", counting)
    again = hash_images(images, workers=1, cache=cache)
    assert decoded == ["1.png"], "what failed is tried again: the cause may have passed"
    np.testing.assert_array_equal(first.hashes, again.hashes)
    np.testing.assert_array_equal(first.mirrored, again.mirrored)
    assert first.mirrored[0] != 0
    assert again.failures == first.failures

    _noise(9).save(root / "2.png")
    os.utime(root / "2.png", ns=(1, 1))
    _noise(8).save(root / "new.png")
    grown = hash_images(scan_images(root, name="photos").images, workers=1, cache=cache)
    assert decoded == ["1.png", "1.png", "2.png", "new.png"]
    assert int(grown.hashes[2]) == _imagehash(_noise(9))


def test_a_cache_that_cannot_be_written_is_named_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    images = scan_images(_folder(tmp_path / "photos", 1), name="photos").images
    named = rf"^cannot write {tmp_path}/file/cache: .*--data\.cache DIR.* XDG_CACHE_HOME$"
    with pytest.raises(UserError, match=named):
        hash_images(images, workers=1, cache=tmp_path / "file" / "cache")


def test_another_folder_has_another_cache_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        root = _folder(tmp_path / name, 2)
        hash_images(scan_images(root, name=name).images, workers=1, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_a_broken_cache_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    root, cache = _folder(tmp_path / "photos", 2), tmp_path / "cache"
    images = scan_images(root, name="photos").images
    first = hash_images(images, workers=1, cache=cache)
    (file,) = cache.iterdir()
    file.write_bytes(damage)
    again = hash_images(images, workers=1, cache=cache)
    np.testing.assert_array_equal(first.hashes, again.hashes)
    assert file.stat().st_size > 100


def test_what_was_done_before_ctrl_c_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = _folder(tmp_path / "photos", 3), tmp_path / "cache"
    images = scan_images(root, name="photos").images
    original = load_image
    decoded: list[str] = []

    def interrupted(path: Path, *, draft: int | None = None) -> Image.Image:
        if path.name == "2.png" and "2.png" not in decoded:
            decoded.append("2.png")
            raise KeyboardInterrupt
        decoded.append(path.name)
        return original(path, draft=draft)

    monkeypatch.setattr(module, "load_image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        hash_images(images, workers=1, cache=cache)
    hash_images(images, workers=1, cache=cache)
    assert decoded == ["0.png", "1.png", "2.png", "2.png"]
