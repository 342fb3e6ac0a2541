from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sscd.augment.tensors import resize_for_inference, to_uint8_tensor
from sscd.baselines.how.aggregation import PictureWords
from sscd.baselines.how.building import InvertedFileBuilder
from sscd.baselines.how.index_file import read_index, write_index
from sscd.baselines.how.system import HowSystem
from sscd.baselines.system import Found, System
from sscd.data.decode import load_image
from sscd.data.records import ImageSet
from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.local_features import local_features
from tests.baselines.how.naive import Floats, Setting, signs_by_word, similarity
from tests.baselines.how.small import (
    FEATURES,
    INFERENCE,
    SCALES,
    local_network,
    small_system,
    write_pictures,
)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ImageSet]:
    """Queries 1, 3 and 5 are the references 0, 2 and 4."""
    root = tmp_path_factory.mktemp("sets")
    sets = {
        "training": write_pictures(root, "training", 30, first=200, broken=(3,)),
        "references": write_pictures(root, "references", 7, first=100, broken=(1,)),
        "queries": write_pictures(root, "queries", 6, first=300, broken=(4,)),
    }
    for number in (1, 3, 5):
        content = (root / "references" / f"R{number - 1:03d}.png").read_bytes()
        (root / "queries" / f"Q{number:03d}.png").write_bytes(content)
    return sets


@pytest.fixture(scope="module")
def searched(sets: dict[str, ImageSet]) -> tuple[HowSystem, Found]:
    system = small_system()
    system.learn(sets["training"])
    system.index(sets["references"])
    return system, system.search(sets["queries"], limit=1000)


def features(images: ImageSet) -> dict[str, Floats]:
    """The local descriptors of each readable picture, one by one."""
    network = local_network()
    found = {}
    for place, name in enumerate(images.ids):
        if images.path(place).read_bytes() != b"no picture":
            picture = load_image(images.path(place), draft=INFERENCE.size)
            resized = resize_for_inference(picture, size=INFERENCE.size, mode=INFERENCE.mode)
            tensor = to_uint8_tensor(resized)[None]
            (one,) = local_features(network, tensor, scales=SCALES, limit=FEATURES)
            found[name] = one.descriptors
    return found


def test_pairs_equal_those_of_the_naive_twin(
    sets: dict[str, ImageSet], searched: tuple[HowSystem, Found], tmp_path: Path
) -> None:
    system, found = searched
    system.save(tmp_path / "index.h5")
    centroids = read_index(tmp_path / "index.h5").codebook.centroids
    signs = {
        name: {
            picture: signs_by_word(own, centroids, 2 if name == "queries" else 1)
            for picture, own in features(images).items()
        }
        for name, images in sets.items()
    }
    assert list(found.query_ids) == list(signs["queries"])
    assert list(system.reference_ids) == list(signs["references"])
    plain, shifts = {}, {}
    for query, own in signs["queries"].items():
        known = sorted(similarity(own, t, Setting()) for t in signs["training"].values())
        shifts[query] = 2.0 * known[-10]
        for reference, other in signs["references"].items():
            if score := similarity(own, other, Setting()):
                plain[query, reference] = score
    normalised = {pair: score - shifts[pair[0]] for pair, score in plain.items()}
    assert len(set(shifts.values())) > 2
    for pairs, expected in ((found.plain, plain), (found.normalised, normalised)):
        names = zip(
            [found.query_ids[row] for row in pairs.query],
            [system.reference_ids[row] for row in pairs.reference],
            strict=True,
        )
        assert dict(zip(names, pairs.scores.tolist(), strict=True)) == pytest.approx(
            expected, abs=1e-6
        )
        assert (np.diff(pairs.scores) <= 0).all()


def test_copies_are_found_first(searched: tuple[HowSystem, Found]) -> None:
    system, found = searched
    best = {
        (found.query_ids[query], system.reference_ids[reference])
        for query, reference in zip(found.plain.query[:3], found.plain.reference[:3], strict=True)
    }
    assert best == {("Q001", "R000"), ("Q003", "R002"), ("Q005", "R004")}


def test_it_is_a_system_of_the_comparison(searched: tuple[HowSystem, Found]) -> None:
    system: System = searched[0]
    assert (system.name, system.dims) == ("HOW + ASMK", None)
    assert (system.norm.weight, system.norm.first, system.norm.last) == (2.0, 9, 9)
    assert "CPU" in system.hardware
    assert system.watch.pictures == 30 + 7 + 6  # words are learnt outside it
    assert system.watch.seconds > 0
    assert len(searched[0].skipped) == 3


@pytest.mark.parametrize("change", [{"batch_size": 1}, {"workers": 2, "batch_size": 2}])
def test_batches_and_workers_change_nothing(
    sets: dict[str, ImageSet], searched: tuple[HowSystem, Found], change: dict[str, Any]
) -> None:
    system = small_system(**change)
    system.learn(sets["training"])
    system.index(sets["references"])
    found = system.search(sets["queries"], limit=1000)
    assert list(found.query_ids) == list(searched[1].query_ids)
    for own, other in (
        (found.plain, searched[1].plain),
        (found.normalised, searched[1].normalised),
    ):
        assert own.query.tolist() == other.query.tolist()
        assert own.reference.tolist() == other.reference.tolist()
        assert own.scores == pytest.approx(other.scores, abs=1e-6)


def test_the_limit_is_over_all_queries(
    sets: dict[str, ImageSet], searched: tuple[HowSystem, Found]
) -> None:
    system, whole = searched
    found = system.search(sets["queries"], limit=4)
    assert found.plain.reference.tolist() == whole.plain.reference.tolist()[:4]
    assert found.normalised.query.tolist() == whole.normalised.query.tolist()[:4]


def test_an_index_is_searched_later(
    sets: dict[str, ImageSet], searched: tuple[HowSystem, Found], tmp_path: Path
) -> None:
    system, whole = searched
    system.save(tmp_path / "index.h5")
    opened = HowSystem.open(
        tmp_path / "index.h5", local_network(), assignments=2, workers=0, device="cpu"
    )
    assert list(opened.reference_ids) == list(system.reference_ids)
    found = opened.search(sets["queries"], limit=1000)
    for one, other in ((found.plain, whole.plain), (found.normalised, whole.normalised)):
        assert one.query.tolist() == other.query.tolist()
        assert one.scores.tolist() == other.scores.tolist()
    opened.index(sets["queries"])
    assert len(opened.reference_ids) == 5


def test_the_index_of_another_network_is_refused(
    searched: tuple[HowSystem, Found], tmp_path: Path
) -> None:
    searched[0].save(tmp_path / "index.h5")
    with pytest.raises(UserError, match=r"was made with network .* give the --checkpoint"):
        HowSystem.open(tmp_path / "index.h5", local_network(seed=1), device="cpu")


def test_an_index_with_too_few_training_pictures_is_refused(
    searched: tuple[HowSystem, Found], tmp_path: Path
) -> None:
    searched[0].save(tmp_path / "index.h5")
    saved = read_index(tmp_path / "index.h5")
    few = InvertedFileBuilder(saved.codebook.words, saved.codebook.dims)
    few.add(0, PictureWords(np.array([1]), np.array([[1]], np.uint64)))
    write_index(tmp_path / "index.h5", replace(saved, training=few.finish()))
    with pytest.raises(UserError, match="needs 10 training pictures, got 1; add some"):
        HowSystem.open(tmp_path / "index.h5", local_network(), device="cpu")


def test_a_network_without_local_descriptors_is_refused() -> None:
    network = DescriptorNet(NetworkConfig("resnet18", 8))
    with pytest.raises(UserError, match="this one pools by gem; train one"):
        HowSystem(network, device="cpu")


@pytest.mark.parametrize("name", ["words", "features", "assignments"])
def test_numbers_below_one_are_refused(name: str) -> None:
    change: dict[str, Any] = {name: 0}
    with pytest.raises(UserError, match=f"^{name} got 0; expected at least 1"):
        small_system(**change)


def test_too_few_pictures_are_refused(sets: dict[str, ImageSet], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs 10 training pictures, got 9; add some"):
        small_system().learn(sets["training"].subset(range(9)))
    some = write_pictures(tmp_path, "training", 10, first=0, broken=(4,))
    with pytest.raises(UserError, match="needs 10 training pictures, got 9; add some"):
        small_system().learn(some)
    with pytest.raises(UserError, match=r"too few for 5,000 visual words; give --words \d+, or"):
        small_system(words=5000).learn(sets["training"])


def test_sets_without_a_picture_are_refused(
    searched: tuple[HowSystem, Found], tmp_path: Path
) -> None:
    broken = write_pictures(tmp_path, "broken", 11, first=0, broken=tuple(range(11)))
    for call in (
        lambda: small_system().learn(broken),
        lambda: searched[0].search(broken, limit=5),
    ):
        with pytest.raises(
            UserError, match=r"no picture of broken can be read, for example .*B000"
        ):
            call()


def test_values_that_are_not_finite_are_refused(sets: dict[str, ImageSet]) -> None:
    network = local_network()
    torch.nn.init.constant_(network.head.weight, float("nan"))
    with pytest.raises(UserError, match=r"T000.png: the network gives local descriptors that are"):
        small_system(network).learn(sets["training"])


def test_steps_out_of_order_are_refused(sets: dict[str, ImageSet], tmp_path: Path) -> None:
    system = small_system()
    for call in (
        lambda: system.index(sets["references"]),
        lambda: system.search(sets["queries"], limit=5),
        lambda: system.save(tmp_path / "index.h5"),
    ):
        with pytest.raises(ValueError, match=r"learn\(\)"):
            call()
