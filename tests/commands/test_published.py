"""Published weights where a checkpoint is asked for, in every command that describes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sscd.cli import main
from sscd.formats.track1.csv_file import read_track1
from sscd.formats.track2.hdf5_file import read_track2
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.published.names import namer
from tests.commands.small import draw_sets

FILE = "network.pt"


@pytest.fixture(params=["classy", "torchvision"])
def network(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> DescriptorNet:
    """A ResNet18 under published names, beside sets of pictures."""
    draw_sets(tmp_path)
    torch.manual_seed(0)
    made = DescriptorNet(NetworkConfig("resnet18", 16)).eval()
    names = namer(request.param, basic=True)
    torch.save({names(key): value for key, value in made.state_dict().items()}, tmp_path / FILE)
    monkeypatch.chdir(tmp_path)
    return made


def test_every_command_takes_them(
    network: DescriptorNet, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--checkpoint", FILE, "--workers", "0", "--size", "32", "--resize", "square")
    assert main(["describe", "references", "described", *given]) == 0
    threshold = ("--threshold", "-0.2")
    assert main(["match", "queries", "references", *threshold, *given]) == 0
    assert {q.decode() for q in read_track1(Path("matches.csv")).query_ids} >= {"Q000", "Q003"}
    assert main(["dedup", "references", *threshold, *given]) == 0
    sides = ("--queries", "queries", "--references", "references")
    assert main(["export", *sides, "--output", "t.h5", *given]) == 0
    judged = ("--ground-truth", "truth.csv", "--samples", "0", "--json")
    capsys.readouterr()
    assert main(["evaluate", "t.h5", *judged]) == 0
    assert json.loads(capsys.readouterr().out)

    described = read_track2(Path("t.h5"))
    from sscd.augment.tensors import resize_for_inference, to_uint8_tensor
    from sscd.data.decode import load_image

    picture = resize_for_inference(
        load_image(Path("references/R000.png"), draft=32), size=32, mode="square"
    )
    with torch.inference_mode():
        expected = network(to_uint8_tensor(picture)[None])[0].numpy()
    found = described.references[described.reference_ids.index("R000")]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_their_own_size_is_the_advised_one(
    network: DescriptorNet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", "queries", "d", "--checkpoint", FILE, "--workers", "0", "--json"]) == 0
    written = list(Path("d").rglob("*.json")) + list(Path("d").rglob("*.parquet"))
    assert any(b"288 short_side" in path.read_bytes() for path in written)


def test_the_advised_threshold_is_taken_and_said(
    network: DescriptorNet, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(FILE).rename("sscd_disc_mixup.pt")
    sets = ("match", "queries", "references", "--checkpoint", "sscd_disc_mixup.pt")
    small = ("--workers", "0", "--json")
    assert main([*sets, *small]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["threshold"] == -0.5  # a cosine of 0.75
    assert "published advice for sscd_disc_mixup" in told.err
    assert main([*sets, *small, "--precision", "0.99"]) == 2
    assert "precision of 0.9" in capsys.readouterr().err
    assert main([*sets, *small, "--size", "32"]) == 2
    assert "288 short_side, and the descriptors are of 32 short_side" in capsys.readouterr().err
    Path("sscd_disc_mixup.pt").rename(FILE)
    assert main(["dedup", "references", "--checkpoint", FILE, *small]) == 2
    assert "the network carries none; give --threshold" in capsys.readouterr().err
