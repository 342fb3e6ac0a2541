from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.baselines.gist.descriptor import gist
from sscd.baselines.gist.resizing import crop_for_gist
from sscd.baselines.gist.system import gist_system
from sscd.data.records import ImageSet
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.search.postprocessing.neighbourhood import Neighbourhood


def picture(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((72, 54), Image.Resampling.BICUBIC)


def write(root: Path, name: str, seeds: range, *, quality: int = 95) -> ImageSet:
    folder = root / name
    folder.mkdir()
    names = [f"{name}{seed:03d}.jpg" for seed in seeds]
    for seed, file in zip(seeds, names, strict=True):
        picture(seed).save(folder / file, quality=quality)
    return ImageSet.from_names(name, root=folder, names=names)


def test_copies_are_found_and_what_cannot_be_read_is_noted(tmp_path: Path) -> None:
    skipped = SkipLog()
    system = gist_system(dims=960, workers=0, skipped=skipped)
    queries = write(tmp_path, "queries", range(3), quality=30)
    queries.path(1).write_bytes(b"")
    system.learn(write(tmp_path, "training", range(100, 112)))
    system.index(write(tmp_path, "references", range(6)))
    found = system.search(queries, limit=2)
    assert list(found.query_ids) == ["queries000", "queries002"]
    for pairs in (found.plain, found.normalised):
        best = set(zip(pairs.query.tolist(), pairs.reference.tolist(), strict=True))
        assert best == {(0, 0), (1, 2)}
    assert "queries001.jpg (empty file)" in skipped.summary()
    assert system.norm == Neighbourhood(0.5, 9, 9)
    assert (system.name, system.dims) == ("GIST 960", 960)
    assert system.hardware.startswith("CPU (")


def test_960_values_are_as_they_are(tmp_path: Path) -> None:
    system = gist_system(dims=960, workers=0)
    images = write(tmp_path, "training", range(2))
    system.learn(images)
    described = system.describe(images)
    crops = np.stack([crop_for_gist(Image.open(images.path(index))) for index in range(2)])
    np.testing.assert_array_equal(described.vectors[:], gist(crops))
    assert described.origin.model == "lear_gist 1.2"


def test_256_values_are_learnt_and_of_length_1(tmp_path: Path) -> None:
    system = gist_system(dims=256, workers=0)
    images = write(tmp_path, "training", range(257))
    system.learn(images)
    described = system.describe(images.subset(range(5)))
    assert described.vectors.shape == (5, 256)
    np.testing.assert_allclose(np.linalg.norm(described.vectors[:], axis=1), 1, atol=1e-6)
    assert (system.name, system.dims) == ("GIST, PCA 256", 256)


def test_too_few_pictures_for_pca_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="PCA to 256 dimensions needs at least 256 training"):
        gist_system(dims=256, workers=0).learn(write(tmp_path, "training", range(5)))


def test_refuses_other_dimensions() -> None:
    with pytest.raises(ValueError, match="dims got 128"):
        gist_system(dims=128, workers=0)  # type: ignore[arg-type]
