"""Attacked views in training: which, how far, and that nothing else changes."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from sscd.attacks.psnr import psnr
from sscd.models.checkpoint import read_checkpoint
from sscd.training.cli import TrainCLI
from sscd.training.module import CopyDetector
from sscd.training.steps.adversarial import AdversarialConfig, attack_views
from tests.training.noisy import real_network
from tests.training.test_start import TINY


def views_of(pictures: int = 6, *, size: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    shape = (pictures, 2, 3, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def test_one_view_of_the_share_is_changed_by_the_psnr_asked() -> None:
    views = views_of()
    before = views.clone()
    config = AdversarialConfig(share=0.5, psnr=(31.0, 33.0), steps=1)
    attacked = attack_views(real_network(), views, config, seed=3)
    assert torch.equal(views, before)
    assert attacked.dtype == torch.uint8
    changed = (attacked != views).flatten(2).any(dim=2)
    assert changed.sum(dim=1).tolist().count(1) == int(changed.sum()) == 3
    reached = psnr(attacked[changed], views[changed])
    assert float(reached.min()) > 30.98
    assert float(reached.max()) < 33.02
    assert float(reached.max() - reached.min()) > 0.01


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.01, 1), (0.4, 2), (1.0, 6)])
def test_the_share_is_that_of_pictures(share: float, count: int) -> None:
    views = views_of(size=16)
    config = AdversarialConfig(share=share, steps=1)
    attacked = attack_views(real_network(), views, config, seed=0)
    assert int((attacked != views).flatten(2).any(dim=2).any(dim=1).sum()) == count
    assert (attacked is views) == (share == 0)


def test_descriptors_move_further_than_by_noise() -> None:
    network, views = real_network(), views_of()
    network.train()
    for _ in range(20):  # running statistics to describe with
        network(views.flatten(0, 1))
    network.eval()

    def moved(steps: int, start: Tensor) -> float:
        config = AdversarialConfig(share=1.0, psnr=(30.0, 30.0), steps=steps)
        attacked = attack_views(network, start, config, seed=5)
        with torch.no_grad():
            before, after = (network(v.flatten(0, 1)) for v in (start, attacked))
        return float((before - after).square().sum())

    noise = views.float() + 255 / 10**1.5 * torch.randn(views.shape)
    with torch.no_grad():
        noisy = network(noise.round().clamp(0, 255).to(torch.uint8).flatten(0, 1))
        by_noise = float((network(views.flatten(0, 1)) - noisy).square().sum()) / 2  # of two views
    assert moved(3, views) > 2 * by_noise


def test_the_network_keeps_its_statistics_modes_and_gradients() -> None:
    network = real_network()
    network.train()
    first = next(m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    first.eval()
    modes = [module.training for module in network.modules()]
    state = copy.deepcopy(network.state_dict())
    attack_views(network, views_of(size=16), AdversarialConfig(share=0.5), seed=1)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_it_follows_from_the_seed_whatever_goes_through_at_once() -> None:
    network, views = real_network(), views_of(size=16)
    config = AdversarialConfig(share=1.0, psnr=(30.0, 40.0), steps=2)
    first = attack_views(network, views, config, seed=1)
    torch.manual_seed(7)
    assert torch.equal(first, attack_views(network, views, config, seed=1))
    assert not torch.equal(first, attack_views(network, views, config, seed=2))
    parts = attack_views(network, views, config, seed=1, at_once=4)
    assert float((parts.float() - first.float()).abs().mean()) < 0.05


def test_half_precision_is_kept_out_of_the_step() -> None:
    network, views = real_network(), views_of(size=16)
    config = AdversarialConfig(share=0.5, steps=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        attacked = attack_views(network, views, config, seed=1)
        # A cached cast of before, made without a graph, would give no gradient here.
        network(attacked.flatten(0, 1)).square()[:, 0].sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


class _Step(torch.nn.Module):
    """What DDP wraps: a step that attacks, and describes."""

    def __init__(self) -> None:
        super().__init__()
        self.network = real_network()

    def forward(self, views: Tensor) -> Tensor:
        config = AdversarialConfig(share=0.5, steps=2)
        attacked = attack_views(self.network, views, config, seed=1)
        described: Tensor = self.network(attacked.flatten(0, 1))
        return described[:, 0].sum()


@pytest.fixture
def _one_thread() -> Iterator[None]:
    """Sums in one order: a pixel that is rounded the other way shows in all gradients."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.filterwarnings("ignore:Grad strides")
def test_gradients_under_ddp_are_those_without(tmp_path: Path) -> None:
    def two_steps(step: torch.nn.Module) -> list[Tensor | None]:
        for _ in range(2):  # a reducer that saw the attack would not be ready for the second one
            step.zero_grad()
            step(views_of(size=16)).backward()
        return [parameter.grad for parameter in step.parameters()]

    alone = two_steps(_Step())
    place = f"file://{tmp_path}/store"
    distributed.init_process_group("gloo", init_method=place, rank=0, world_size=1)
    try:
        wrapped = two_steps(DistributedDataParallel(_Step()))
    finally:
        distributed.destroy_process_group()
    for gradient, expected in zip(wrapped, alone, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 1.5}, "share got 1.5"),
        ({"psnr": (40.0, 30.0)}, r"psnr got \[40.0, 30.0\]"),
        ({"psnr": (3.0, 30.0)}, r"psnr got \[3.0, 30.0\]"),
        ({"steps": 0}, "steps got 0"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AdversarialConfig(**settings)  # type: ignore[arg-type]


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


ROBUST = (
    *("--model.adversarial.share", "0.5", "--model.adversarial.steps", "1"),
    *("--trainer.max_epochs", "2"),
)
MILDER = ("--model.adversarial.psnr", "[59, 60]")


def weights(run: str, *arguments: str) -> dict[str, Tensor]:
    cli = TrainCLI([*TINY, *ROBUST, *arguments], default_run=Path(run))
    checkpoint = read_checkpoint(cli.run.last)
    assert checkpoint["sscd"]["recipe"]["adversarial"]["share"] == 0.5
    state: dict[str, Tensor] = checkpoint["state_dict"]
    return state


@pytest.mark.slow
@pytest.mark.usefixtures("_elsewhere")
def test_a_training_that_was_cut_short_resumes_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    class CutShort(Exception):  # noqa: N818
        pass

    def fail(self: Any) -> None:
        raise CutShort

    whole = weights("whole")
    values = [value for value in whole.values() if value.is_floating_point()]
    assert all(bool(torch.isfinite(value).all()) for value in values)
    with monkeypatch.context() as patched:
        patched.setattr(CopyDetector, "on_validation_epoch_start", fail)
        with pytest.raises(CutShort):
            weights("parts")
    resumed = weights("parts", "--ckpt_path", "last")
    assert all(torch.equal(whole[name], value) for name, value in resumed.items())
    assert any(
        not torch.equal(whole[name], value) for name, value in weights("milder", *MILDER).items()
    )
