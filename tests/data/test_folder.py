from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sscd.data.folder import FolderSplit, split_folder
from sscd.data.listing import scan_images
from sscd.data.near_duplicates import near_duplicate_groups
from sscd.data.perceptual_hash import hash_images
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "photos"


def _noise(seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return Image.fromarray(values)


def _folder(root: Path, count: int) -> Path:
    (root / "sub").mkdir(parents=True)
    for number in range(count):
        _noise(number).save(root / ("sub" if number % 3 else "") / f"{number:03d}.png")
    return root


def _parts(split: FolderSplit) -> dict[str, str]:
    return {
        image_id: part.name
        for part in (split.training, split.references, split.query_sources)
        for image_id in part.ids
    }


def _fraction(name: str) -> float:
    return float(stable_fractions([name.encode()], salt="folder split")[0])


def test_parts_follow_from_the_path_alone(tmp_path: Path) -> None:
    split = split_folder(_folder(tmp_path / "p", 80), cache=tmp_path / "c")
    parts = _parts(split)
    assert len(parts) == 80
    for part in (split.training, split.references, split.query_sources):
        for name in part.names.tolist():
            number = _fraction(name.decode())
            expected = (
                "training" if number < 0.7 else "references" if number < 0.9 else "distractors"
            )
            assert part.name == expected
    assert split.left_out == ()


def test_a_new_picture_moves_no_other(tmp_path: Path) -> None:
    root = _folder(tmp_path / "p", 60)
    before = _parts(split_folder(root, cache=tmp_path / "c"))
    for seed in range(100, 120):
        _noise(seed).save(root / f"new-{seed}.png")
    after = _parts(split_folder(root, cache=tmp_path / "c"))
    assert before.items() <= after.items()
    assert len(after) == 80


def test_near_duplicates_share_the_part_of_the_smallest_hash(tmp_path: Path) -> None:
    root = _folder(tmp_path / "p", 40)
    names = [f"twin-{number}.png" for number in range(6)]
    for name in names:
        _noise(1000).save(root / name)
    smallest = min(_fraction(name) for name in names)
    assert smallest < 0.7 < max(_fraction(name) for name in names)  # they would be torn apart
    parts = _parts(split_folder(root, cache=tmp_path / "c"))
    assert {parts[name.removesuffix(".png")] for name in names} == {"training"}


def test_mirror_images_share_a_part(tmp_path: Path) -> None:
    root = _folder(tmp_path / "p", 40)
    names = [f"turned-{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        picture = _noise(1000)
        (ImageOps.mirror(picture) if number % 2 else picture).save(root / name)
    assert min(map(_fraction, names)) < 0.7 < max(map(_fraction, names))
    parts = _parts(split_folder(root, cache=tmp_path / "c"))
    assert {parts[name.removesuffix(".png")] for name in names} == {"training"}


def test_one_reference_is_kept_of_each_group(tmp_path: Path) -> None:
    root = _folder(tmp_path / "p", 40)
    names = [name for i in range(200) if 0.7 <= _fraction(name := f"twin-{i}.png") < 0.9][:4]
    for name in names:
        _noise(1000).save(root / name)
    split = split_folder(root, cache=tmp_path / "c")
    kept = [image_id for image_id in split.references.ids if image_id.startswith("twin")]
    assert kept == [min(names, key=_fraction).removesuffix(".png")]
    assert split.left_out == ("3 near-duplicates of other references are not searched",)


def test_what_is_left_out_is_counted_and_said(tmp_path: Path) -> None:
    root = _folder(tmp_path / "p", 40)
    (root / "notes.txt").write_text("x")
    (root / "broken.jpg").write_bytes(b"x")
    split = split_folder(root, cache=tmp_path / "c")
    assert split.unreadable == ((root / "broken.jpg", "not a picture of a known format"),)
    assert "1 entry is no picture" in split.left_out[0]
    assert split.left_out[1].startswith("1 picture could not be read: ")
    assert "skipped.txt" not in split.left_out[1], "there is no run yet"
    assert len(_parts(split)) == 40


def test_a_share_of_0_gives_an_empty_part(tmp_path: Path) -> None:
    root = _folder(tmp_path / "p", 12)
    split = split_folder(root, cache=tmp_path / "c", fractions=(0.0, 1.0, 0.0))
    assert (len(split.training), len(split.references), len(split.query_sources)) == (0, 12, 0)


def test_too_few_pictures_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1 readable pictures are too few") as caught:
        split_folder(_folder(tmp_path / "p", 1), cache=tmp_path / "c")
    assert "\n" not in str(caught.value)


def test_a_folder_of_broken_pictures_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"no readable picture.*jpg jpeg png.*empty file"):
        split_folder(tmp_path, cache=tmp_path / "c")


@pytest.mark.parametrize("fractions", [(0.5, 0.4, 0.2), (1.2, -0.1, -0.1)])
def test_fractions_must_add_up(tmp_path: Path, fractions: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        split_folder(tmp_path, cache=tmp_path / "c", fractions=fractions)


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the shared photographs are not here")
def test_photographs_of_one_kind_do_not_chain_to_one_group(tmp_path: Path) -> None:
    listing = scan_images(PHOTOS, name="photos")
    names = listing.images.names
    bikes = listing.images.subset(np.flatnonzero(np.strings.startswith(names, b"Motorbikes")))
    hashed = hash_images(bikes, workers=1, cache=tmp_path)
    groups = near_duplicate_groups(hashed.hashes, max_distance=2)
    assert len(bikes) > 500
    assert np.bincount(groups).max() <= 8
