"""Optimisers by name, parameter groups, and the course of the learning rate."""

from typing import Any

import pytest
import torch
from torch import nn

from sscd.training.lars import LARS
from sscd.training.optimizers import (
    OptimizerConfig,
    build_optimizer,
    rate_share,
    retune,
    warmup_cosine,
)


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.mark.parametrize(
    ("name", "kind"), [("lars", LARS), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
)
@pytest.mark.parametrize("exclude", [False, True])
def test_each_optimizer_takes_a_step(name: str, kind: type, exclude: bool) -> None:
    config = OptimizerConfig(name=name, exclude_bias_and_norm=exclude)  # type: ignore[arg-type]
    trained = network()
    optimizer = build_optimizer(trained, config, pictures=256)
    before = [p.detach().clone() for p in trained.parameters()]
    trained(torch.randn(2, 3, 5, 5)).square().sum().backward()
    optimizer.step()
    assert isinstance(optimizer, kind)
    assert any(not torch.equal(a, b) for a, b in zip(before, trained.parameters(), strict=True))


def test_rate_is_scaled_by_the_global_batch() -> None:
    assert OptimizerConfig(lr=0.3).rate(4096) == pytest.approx(4.8)
    assert OptimizerConfig(lr=0.001, reference_batch=None).rate(4096) == 0.001
    optimizer = build_optimizer(network(), OptimizerConfig(lr=0.3), pictures=512)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.6)


def test_biases_and_norms_are_left_alone_on_request() -> None:
    optimizer = build_optimizer(network(), OptimizerConfig(exclude_bias_and_norm=True), pictures=1)
    kernels, vectors = optimizer.param_groups
    assert [p.ndim for p in kernels["params"]] == [4]
    assert all(p.ndim == 1 for p in vectors["params"])
    assert (vectors["weight_decay"], vectors["adapt"]) == (0.0, False)


def test_published_recipe_adapts_everything() -> None:
    optimizer = build_optimizer(network(), OptimizerConfig(), pictures=1)
    (group,) = optimizer.param_groups
    assert len(group["params"]) == 4
    assert group["adapt"]


def test_the_rate_warms_up_and_falls_by_steps() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=2.0)
    schedule = warmup_cosine(optimizer, warmup=4, total=12, final_share=0.1)
    rates = []
    for _ in range(13):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:5] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0])
    assert rates[8] == pytest.approx(2 * (0.1 + 0.9 * 0.5))
    assert rates[12] == pytest.approx(0.2)
    assert rate_share(99, 4, 12, 0.1) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lr": 0.0}, "lr got 0"),
        ({"reference_batch": 0}, "reference_batch got 0"),
        ({"warmup_epochs": -1.0}, "warmup_epochs got -1"),
        ({"final_share": 2.0}, "final_share got 2"),
    ],
)
def test_wrong_values(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OptimizerConfig(**values)  # type: ignore[arg-type]


def test_a_restored_run_takes_the_configured_rate_and_decay() -> None:
    old = OptimizerConfig(lr=1.0, momentum=0.9, weight_decay=1e-2, exclude_bias_and_norm=True)
    new = OptimizerConfig(lr=0.1, momentum=0.5, weight_decay=1e-3, exclude_bias_and_norm=True)
    states: list[dict[str, Any]] = []
    for config in (old, new):
        optimizer = build_optimizer(network(), config, pictures=256)
        schedule = warmup_cosine(optimizer, warmup=2, total=10, final_share=0.0)
        for _ in range(5):
            optimizer.step()
            schedule.step()
        states.append({"optimizer_states": [optimizer.state_dict()], "lr_schedulers": [{}]})
        states[-1]["lr_schedulers"] = [{"base_lrs": list(schedule.base_lrs)}]
    retune(states[0], new, pictures=256)
    assert states[0]["lr_schedulers"] == states[1]["lr_schedulers"]
    for got, want in zip(
        states[0]["optimizer_states"][0]["param_groups"],
        states[1]["optimizer_states"][0]["param_groups"],
        strict=True,
    ):
        assert list(got) == list(want)
        for key in set(want) - {"params"}:
            assert got[key] == pytest.approx(want[key]), key
