"""A head that is fitted before a training, as HOW's: how, on what, and that it stays."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sscd.data.pictures.groups import PictureGroups
from sscd.errors import UserError
from sscd.models.checkpoint import read_checkpoint
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.loading import load_network
from sscd.models.pooling import smoothed
from sscd.training.cli import TrainCLI
from sscd.training.module import CopyDetector
from sscd.training.whitened_head import WhiteningConfig, fitted_head
from tests.commands.small import write_checkpoint
from tests.training.test_start import TINY

HOW = (
    *("--model.network.pooling", "attention", "--model.network.last_stage", "3"),
    *("--model.objective.loss", "contrastive", "--model.objective.entropy_weight", "0"),
    *("--model.whitening.pictures", "6", "--trainer.max_epochs", "2"),
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def train(*arguments: str, run: str = "run") -> TrainCLI:
    return TrainCLI([*TINY, *arguments], default_run=Path(run))


def attentive(dims: int = 4) -> DescriptorNet:
    torch.manual_seed(0)
    config = NetworkConfig("resnet18", dims, pooling="attention", last_stage=2)
    return DescriptorNet(config)


def groups(*sizes: int) -> PictureGroups:
    generator = torch.Generator().manual_seed(1)
    drawn = [
        torch.randint(0, 256, (3, 3, size, size), dtype=torch.uint8, generator=generator)
        for size in sizes
    ]
    return PictureGroups(tuple(drawn), torch.arange(3 * len(sizes)), ())


def test_activations_come_out_white() -> None:
    network, batch = attentive(), groups(32, 48)
    weight, bias = fitted_head(network, [batch], share=1000)
    with torch.no_grad():
        maps = [smoothed(network.activations(group)).flatten(2) for group in batch.groups]
    cells = torch.cat([one.transpose(1, 2).flatten(0, 1) for one in maps]).double()
    whitened = cells @ weight.double().T + bias.double()
    assert len(cells) == 3 * (16 + 36)
    torch.testing.assert_close(whitened.mean(dim=0), torch.zeros(4).double(), atol=1e-3, rtol=0)
    covariance = torch.cov(whitened.T, correction=0)
    torch.testing.assert_close(covariance, torch.eye(4).double(), atol=1e-2, rtol=0)


def test_each_picture_gives_its_share() -> None:
    network, batch = attentive(), groups(32, 48)
    with pytest.raises(UserError, match=r"model\.whitening: .* got 3 activations; expected more"):
        fitted_head(network, [groups(32)], share=1)
    few = fitted_head(network, [batch], share=2)[0]
    assert not np.allclose(few, fitted_head(network, [batch], share=1000)[0])
    with pytest.raises(UserError, match=r"raise model\.whitening\.pictures"):
        fitted_head(network, [], share=2)


@pytest.mark.slow
def test_the_head_stays_while_the_rest_learns() -> None:
    cli = train(*HOW, "--model.optimizer.lr", "0.01")
    state = read_checkpoint(cli.run.last)["state_dict"]
    head = {key: value for key, value in state.items() if "head" in key}
    assert list(head) == ["network.head.weight", "network.head.bias"]
    shapes = [group["params"] for group in cli.trainer.optimizers[0].param_groups]
    trained = {id(parameter) for group in shapes for parameter in group}
    assert not trained & {id(parameter) for parameter in cli.model.network.head.parameters()}
    # The run's first state again: what the head was fitted on is the new network.
    first = train(*HOW, "--trainer.max_steps", "1", "--model.optimizer.lr", "1e-12", run="first")
    before = read_checkpoint(first.run.last)["state_dict"]
    assert all(torch.equal(value, before[key]) for key, value in head.items())
    assert not torch.equal(
        state["network.backbone.conv1.weight"], before["network.backbone.conv1.weight"]
    )
    torch.manual_seed(0)
    assert float(head["network.head.bias"].abs().max()) > 0.2, "that of a new linear is below 1/16"
    trained_network = load_network(cli.run.last)
    assert trained_network.recipe["whitening"] == {"pictures": 6, "activations": 200_000}
    described = trained_network.network(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    torch.testing.assert_close(described.norm(dim=1), torch.ones(1))


@pytest.mark.slow
def test_a_resumed_training_does_not_fit_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = train(*HOW, "--trainer.max_epochs", "1")
    before = read_checkpoint(first.run.last)["state_dict"]["network.head.weight"]

    def refuse(self: CopyDetector) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(CopyDetector, "_fit_head", refuse)
    again = train(*HOW, "--run_dir", "run", "--ckpt_path", "last")
    assert again.trainer.global_step == 2 * first.trainer.global_step
    after = read_checkpoint(again.run.last)["state_dict"]["network.head.weight"]
    assert torch.equal(before, after)
    with pytest.raises(UserError, match=r"not trained; resume with model\.whitening\.pictures 6"):
        train(*HOW, "--model.whitening.pictures", "0", "--run_dir", "run", "--ckpt_path", "last")
    # Nor does one that starts from such a network.
    still = ("--model.weights", "run/checkpoints/last.ckpt", "--trainer.max_steps", "1")
    third = train(*HOW, *still, run="third")
    assert torch.equal(before, read_checkpoint(third.run.last)["state_dict"]["network.head.weight"])


def test_it_starts_from_another_network_up_to_its_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = write_checkpoint(tmp_path / "start.ckpt", seed=5)
    still = ("--model.optimizer.lr", "1e-12", "--trainer.max_steps", "1")
    cli = train(*HOW, *still, "--model.weights", str(start), "--model.freeze_batch_norm", "true")
    before = read_checkpoint(start)["state_dict"]
    after = read_checkpoint(cli.run.last)["state_dict"]
    backbone = [key for key in after if key.startswith("network.backbone.")]
    assert not any("layer4" in key for key in backbone)
    for key in backbone:
        torch.testing.assert_close(after[key], before[key], atol=1e-6, rtol=0)
    assert after["network.head.weight"].shape == (16, 256)
    assert "random weights" not in capsys.readouterr().err, "the head is fitted"


def test_a_head_may_be_trained_all_the_same() -> None:
    config = NetworkConfig("resnet18", 16, pooling="attention", last_stage=2)
    for pictures, trained in ((0, True), (6, False)):
        model = CopyDetector(config, whitening=WhiteningConfig(pictures))
        assert {p.requires_grad for p in model.network.head.parameters()} == {trained}
        assert all(p.requires_grad for p in model.network.backbone.parameters())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pictures": -1}, "pictures got -1"),
        ({"pictures": 10, "activations": 9}, "activations got 9; expected at least one of each"),
    ],
)
def test_wrong_values(values: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WhiteningConfig(**values)


def test_a_head_is_trained_on_as_before_or_not_at_all() -> None:
    network, fitted, trained = attentive(), {"whitening": {"pictures": 7}}, {"whitening": None}
    WhiteningConfig(pictures=5).check_resumable(network, fitted)
    WhiteningConfig(pictures=0).check_resumable(network, trained)
    # Checkpoints of before say nothing, and their networks pool otherwise.
    WhiteningConfig().check_resumable(DescriptorNet(NetworkConfig("resnet18", 4)), {})
    with pytest.raises(UserError, match=r"with a head .*resume with model\.whitening\.pictures 7"):
        WhiteningConfig(pictures=0).check_resumable(network, fitted)
    with pytest.raises(UserError, match=r"without a head .*model\.whitening\.pictures 0"):
        WhiteningConfig(pictures=5).check_resumable(network, trained)


def test_too_few_pictures_are_told() -> None:
    few = ("--model.whitening.pictures", "2", "--model.network.dims", "64")
    with pytest.raises(UserError, match=r"model\.whitening: whitening to 64 dimensions got 8 act"):
        train(*HOW, *few)
