from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks.recipes.pictures import Shares, link_pictures, part_of, share_out
from sscd.data.listing import scan_images
from sscd.data.procedural import draw_picture
from sscd.errors import UserError


def test_groups_stay_together_and_shares_are_kept() -> None:
    rng = np.random.default_rng(0)
    own = rng.random(4000)
    groups = rng.integers(0, 2500, size=4000)
    shares = Shares()
    part = part_of(own, groups, shares)
    for group in range(2500):
        assert len(set(part[groups == group].tolist())) <= 1
    counts = np.bincount(part, minlength=4) / len(part)
    wanted = [getattr(shares, name) for name in shares.parts()]
    np.testing.assert_allclose(counts, wanted, atol=0.01)


def test_copies_and_mirror_images_fall_to_one_part(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(40):
        picture = draw_picture(seed=5, index=index, size=48)
        picture.save(photos / f"a{index:02d}.png")
        if index < 10:
            Image.Image.save(ImageOps.mirror(picture), photos / f"z{index:02d}.png")
            picture.save(photos / f"m{index:02d}.jpg", quality=90)
    parts = share_out(photos, Shares(), cache=tmp_path / "cache", workers=0)
    names = {
        name: {parts[name].path(index).name for index in range(len(parts[name]))} for name in parts
    }
    assert sum(map(len, names.values())) == len(set().union(*names.values())) == 60
    place = {picture: part for part, of in names.items() for picture in of}
    for index in range(10):
        ends = (f"a{index:02d}.png", f"z{index:02d}.png", f"m{index:02d}.jpg")
        assert len({place[one] for one in ends}) == 1


def test_links_are_kept_up_to_date(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("a/x.png", "b/x.png"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        draw_picture(seed=1, index=len(name), size=16).save(photos / name)
    images = scan_images(photos, name="photos").images
    out = tmp_path / "out"
    link_pictures(images, out)
    assert sorted(path.name for path in out.iterdir()) == ["a__x.png", "b__x.png"]
    (out / "old.png").symlink_to(photos / "a/x.png")
    link_pictures(images, out)
    assert sorted(path.name for path in out.iterdir()) == ["a__x.png", "b__x.png"]
    (out / "a__x.png").unlink()
    (out / "a__x.png").symlink_to(photos / "b/x.png")
    with pytest.raises(UserError, match="leads to another picture"):
        link_pictures(images, out)


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    draw_picture(seed=1, index=0, size=16).save(tmp_path / "one.png")
    with pytest.raises(UserError, match="too few pictures"):
        share_out(tmp_path, Shares(), cache=tmp_path / "cache", workers=0)
