import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from sscd.baselines.hashes import HASHES, PictureHash, bit_vectors, hash_system, installed_hashes
from sscd.data.perceptual_hash import perceptual_hash
from sscd.data.records import ImageSet
from sscd.data.skipped import SkipLog

pytest.importorskip("imagehash", reason="the extra hashes is not installed")
pytest.importorskip("pdqhash", reason="the extra hashes is not installed")

BY_NAME = {one.name: one for one in HASHES}


def picture(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((96, 80), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("one", HASHES, ids=lambda one: one.name)
def test_a_hash_has_its_bits_and_hardly_sees_a_small_edit(one: PictureHash) -> None:
    bits = one.function(picture(0))
    assert bits.shape == (one.bits,)
    assert bits.dtype == np.bool_
    smaller = (bits ^ one.function(picture(0).resize((60, 50)))).sum()
    other = (bits ^ one.function(picture(1))).sum()
    assert smaller < 0.15 * one.bits < 0.25 * one.bits < other


@pytest.mark.parametrize("one", HASHES, ids=lambda one: one.name)
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_odd_pictures_have_hashes(one: PictureHash, size: tuple[int, int]) -> None:
    assert one.function(Image.new("RGB", size, (10, 200, 30))).shape == (one.bits,)


def test_hashes_by_hand() -> None:
    half = Image.new("RGB", (64, 64))
    half.paste("white", (32, 0, 64, 64))
    average = BY_NAME["aHash"].function(half).reshape(8, 8)
    assert average.tolist() == [[False] * 4 + [True] * 4] * 8
    ramp = Image.linear_gradient("L").convert("RGB").rotate(90)  # from dark to light
    assert BY_NAME["dHash"].function(ramp).all()
    assert not BY_NAME["dHash"].function(ramp.rotate(180)).any()


def test_phash_is_that_which_splits_folders() -> None:
    for seed in range(5):
        bits = BY_NAME["pHash"].function(picture(seed))
        assert int("".join(str(int(bit)) for bit in bits), 2) == int(perceptual_hash(picture(seed)))


def test_distance_is_hamming_distance() -> None:
    rng = np.random.default_rng(0)
    for dims in (64, 256):
        bits = rng.random((6, dims)) < 0.5
        vectors = bit_vectors(bits)
        assert vectors.dtype == np.float32
        squared = np.square(vectors[:, None] - vectors[None]).sum(axis=2)
        hamming = (bits[:, None] ^ bits[None]).sum(axis=2)
        np.testing.assert_array_equal(squared, hamming * 4 / dims)
        np.testing.assert_array_equal(np.square(vectors).sum(axis=1), 1)


def test_systems_find_copies_and_count_what_they_cannot_read(tmp_path: Path) -> None:
    names = [f"{seed:02d}.png" for seed in range(12)]
    for seed, name in enumerate(names):
        picture(seed).save(tmp_path / name)
    (tmp_path / "07.png").write_text("no picture")
    images = ImageSet.from_names("references", root=tmp_path, names=names)
    skipped = SkipLog()
    found = installed_hashes()
    assert found.left_out == ()
    systems = [hash_system(one, workers=0, skipped=skipped) for one in found.hashes]
    assert [system.name for system in systems] == [one.name for one in HASHES]
    assert [system.dims for system in systems] == [64, 64, 64, 64, 256]
    for system in systems:
        system.learn(images)
        system.index(images)
        pairs = system.search(images.subset([3, 5]), limit=2).plain
        assert set(zip(pairs.query, pairs.reference, strict=True)) == {(0, 3), (1, 5)}
        np.testing.assert_allclose(pairs.scores, 0, atol=1e-6)
        assert system.watch.pictures == 26
    assert len(skipped) == 1


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        return None if name == "pdqhash" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    found = installed_hashes()
    assert [one.name for one in found.hashes] == ["aHash", "dHash", "pHash", "wHash"]
    assert found.left_out == (
        "PDQ: this needs pdqhash, which is not installed; pip install 'sscd[hashes]'",
    )


def test_a_library_that_is_half_installed_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def load(name: str, package: str | None = None) -> ModuleType:
        if name == "imagehash":
            raise ImportError("no module pywt")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", load)
    found = installed_hashes()
    assert [one.name for one in found.hashes] == ["PDQ"]
    assert found.left_out == (
        "aHash, dHash, pHash, wHash: imagehash cannot be imported: no module pywt; install it "
        "again",
    )
