"""Descriptors of sets: the same as one picture at a time, whatever the batches and the workers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import resize_for_inference, to_uint8_tensor
from sscd.data.decode import load_image
from sscd.data.descriptors import Origin
from sscd.data.records import ImageSet
from sscd.errors import UserError
from sscd.models.describer import Describer, DescriberSpec, choose_device
from sscd.models.fingerprint import network_fingerprint
from tests.models.networks import INFERENCE, small_network, small_spec


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """Nine pictures of three sizes, and two that are broken."""
    rng = np.random.default_rng(0)
    names = [f"{index:02d}.png" for index in range(11)]
    for index, name in enumerate(names):
        noise = rng.integers(0, 256, (32, (32, 48, 40)[index % 3], 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
    for broken in (0, 7):
        (tmp_path / names[broken]).write_bytes(b"broken")
    return ImageSet.from_names("set", root=tmp_path, names=names)


def one_by_one(images: ImageSet) -> np.ndarray:
    network = small_network()
    rows = []
    for index in range(len(images)):
        if index not in (0, 7):
            picture = load_image(images.path(index), draft=INFERENCE.size)
            tensor = to_uint8_tensor(resize_for_inference(picture, size=32, mode="short_side"))
            with torch.inference_mode():
                rows.append(network(tensor[None])[0].numpy())
    return np.stack(rows)


@pytest.mark.parametrize(("batch_size", "workers"), [(4, 0), (1, 0), (16, 0), (2, 2)])
def test_a_set_is_described_in_its_order(images: ImageSet, batch_size: int, workers: int) -> None:
    spec = small_spec(batch_size=batch_size, workers=workers)
    describer = spec.build()
    described = describer(images)
    assert described.ids == [f"{index:02d}" for index in range(11) if index not in (0, 7)]
    np.testing.assert_allclose(described.vectors[0:9], one_by_one(images), atol=1e-6)
    assert described.origin == Origin(network_fingerprint(small_network()), "32 short_side")
    assert described.origin == spec.origin == describer.origin
    assert len(describer.skipped) == 2


@pytest.mark.parametrize("batch_size", [1, 16])
def test_a_long_side_gives_many_sizes_and_one_result(images: ImageSet, batch_size: int) -> None:
    network = small_network()
    describer = Describer.build(
        network, InferenceSize(40, "long_side"), batch_size=batch_size, workers=0, device="cpu"
    )
    described = describer(images)
    shapes = set()
    for place, index in enumerate(index for index in range(11) if index not in (0, 7)):
        picture = load_image(images.path(index), draft=40)
        tensor = to_uint8_tensor(resize_for_inference(picture, size=40, mode="long_side"))
        shapes.add(tuple(tensor.shape))
        with torch.inference_mode():
            expected = network(tensor[None]).numpy()
        np.testing.assert_allclose(described.vectors[place : place + 1], expected, atol=1e-6)
    assert shapes == {(3, 32, 32), (3, 27, 40), (3, 32, 40)}, "smaller ones are not enlarged"
    assert described.origin.preprocessing == "40 long_side"


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_may_be_called_again(images: ImageSet, workers: int) -> None:
    loader = small_spec(workers=workers).build().loader(images)
    whole = {}
    for _ in range(2):
        for batch in loader([[3, 0, 1], [7], [2, 4]]):
            assert len(batch.vectors) == len(batch.positions)
            whole.update(dict(zip(batch.positions.tolist(), batch.vectors, strict=True)))
    assert sorted(whole) == [1, 2, 3, 4]
    batches = list(loader([[7, 5, 0]]))
    assert [item.position for item in batches[0].unreadable] == [7, 0]
    assert batches[0].unreadable[0].path.endswith("07.png")
    assert batches[0].size == 3
    assert batches[0].positions.tolist() == [5]


def test_a_batch_without_a_picture(images: ImageSet) -> None:
    [batch] = small_spec().build().loader(images)([[0, 7]])
    assert batch.vectors.shape == (0, 8)
    assert batch.size == 2


def test_nothing_to_describe_is_an_error(images: ImageSet) -> None:
    describer = small_spec().build()
    with pytest.raises(UserError, match=r"no picture of set can be read, for example .*00\.png"):
        describer(images.subset([0, 7]))
    with pytest.raises(UserError, match="no picture of set can be read; are"):
        describer(images.subset([]))


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu", index=3) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UserError, match="--device cuda: torch sees no CUDA device"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert choose_device("auto", index=5) == torch.device("cuda", 1)


def test_a_spec_knows_its_dimensions() -> None:
    assert small_spec().dims == 8
    assert DescriberSpec(small_network(dims=5), INFERENCE).dims == 5
