"""Optimisers by name, parameter groups, and the course of the learning rate."""

from typing import Any, Literal

import pytest
import torch
from torch import nn

from sscd.errors import UserError
from sscd.models.depth import steps_below_head
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.optimization.groups import BESIDE, beside_groups, parameter_groups
from sscd.training.optimization.lars import LARS
from sscd.training.optimization.optimizer_config import OptimizerConfig
from sscd.training.optimization.optimizers import build_optimizer, rate_share, warmup_cosine
from sscd.training.optimization.retune import retune


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


def test_the_rate_falls_in_drops() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=2.0)
    schedule = warmup_cosine(optimizer, warmup=0, total=8, final_share=0.0, drops=(0.25, 0.75))
    rates = []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([2.0] * 2 + [0.2] * 4 + [0.02] * 3)


def test_decay_is_part_of_adams_gradient() -> None:
    steps = {}
    for name in ("adam", "adamw"):
        config = OptimizerConfig(name=name, lr=0.5, weight_decay=0.1)
        weight = nn.Parameter(torch.tensor([2.0]))
        layer = nn.ParameterList([weight])
        optimizer = build_optimizer(layer, config, pictures=256)
        weight.grad = torch.tensor([0.0])
        optimizer.step()
        steps[name] = float(weight.detach())
    # Adam's first step is the rate in the direction of gradient plus decay; AdamW's is decay alone.
    assert steps == pytest.approx({"adam": 2.0 - 0.5, "adamw": 2.0 * (1 - 0.5 * 0.1)})


@pytest.mark.parametrize("exempt", [False, True])
@pytest.mark.parametrize("layer_decay", [1.0, 0.5])
def test_what_is_beside_the_network_learns_at_rates_of_its_own(
    descriptor: DescriptorNet, layer_decay: float, exempt: bool
) -> None:
    classifier, beta = nn.Linear(8, 3), nn.Parameter(torch.tensor(1.2))
    states: list[dict[str, Any]] = []
    configs = [
        OptimizerConfig(
            name="sgd",
            lr=lr,
            weight_decay=decay,
            layer_decay=layer_decay,
            exclude_bias_and_norm=exempt,
        )
        for lr, decay in ((1.0, 0.0), (0.1, 1e-3))
    ]
    for config in configs:
        beside = beside_groups(classifier.parameters(), [beta], config, rate=config.lr, share=4.0)
        optimizer = build_optimizer(descriptor, config, pictures=256, beside=beside)
        schedule = warmup_cosine(optimizer, warmup=0, total=10, final_share=0.0)
        states.append({"optimizer_states": [optimizer.state_dict()]})
        states[-1]["lr_schedulers"] = [{"base_lrs": list(schedule.base_lrs)}]
    last = states[1]["optimizer_states"][0]["param_groups"]
    assert [group["lr"] for group in last[-2:]] == pytest.approx([0.1, 0.4])
    assert last[-1]["weight_decay"] == 0
    decays = [group["weight_decay"] for group in last if BESIDE in group]
    assert decays == ([1e-3, 0, 0] if exempt else [1e-3, 0])
    retune(states[0], configs[1], pictures=256)
    assert states[0]["lr_schedulers"] == states[1]["lr_schedulers"]
    for got, want in zip(states[0]["optimizer_states"][0]["param_groups"], last, strict=True):
        assert got == want


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lr": 0.0}, "lr got 0"),
        ({"reference_batch": 0}, "reference_batch got 0"),
        ({"warmup_epochs": -1.0}, "warmup_epochs got -1"),
        ({"final_share": 2.0}, "final_share got 2"),
        ({"layer_decay": 0.0}, "layer_decay got 0"),
        ({"layer_decay": 1.1}, "layer_decay got 1.1"),
        ({"drops": (0.5, 1.0)}, r"drops got \[0\.5, 1\.0\]"),
        ({"drops": (0.5,), "final_share": 0.1}, "in one way only"),
    ],
)
def test_wrong_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OptimizerConfig(**values)


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


@pytest.fixture(scope="module")
def descriptor() -> DescriptorNet:
    return DescriptorNet(NetworkConfig("resnet18", 8))


def test_rates_fall_with_depth(descriptor: DescriptorNet) -> None:
    config = OptimizerConfig(lr=0.3, layer_decay=0.7)
    groups = parameter_groups(descriptor, config, rate=0.6)
    assert [group["lr"] for group in groups] == pytest.approx([0.6 * 0.7**k for k in range(6)])
    steps = steps_below_head(descriptor)
    names = {id(p): name for name, p in descriptor.named_parameters()}
    for below, group in enumerate(groups):
        assert {steps[names[id(p)]] for p in group["params"]} == {below}
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_depth_and_exemption_go_together(descriptor: DescriptorNet) -> None:
    config = OptimizerConfig(layer_decay=0.7, exclude_bias_and_norm=True)
    groups = parameter_groups(descriptor, config, rate=1.0)
    assert len(groups) == 12
    for kernels, vectors in zip(groups[::2], groups[1::2], strict=True):
        assert kernels["lr"] == vectors["lr"]
        assert all(p.ndim > 1 for p in kernels["params"])
        assert all(p.ndim == 1 for p in vectors["params"])
        assert vectors["weight_decay"] == 0.0


@pytest.mark.parametrize("name", ["lars", "adamw", "sgd"])
@pytest.mark.parametrize("exclude", [False, True])
def test_every_optimizer_and_the_schedule_keep_the_shares(
    name: str, exclude: bool, descriptor: DescriptorNet
) -> None:
    config = OptimizerConfig(
        name=name,  # type: ignore[arg-type]
        lr=0.5,
        layer_decay=0.5,
        exclude_bias_and_norm=exclude,
    )
    optimizer = build_optimizer(descriptor, config, pictures=256)
    schedule = warmup_cosine(optimizer, warmup=2, total=10, final_share=0.0)
    for _ in range(4):
        for parameter in descriptor.parameters():
            parameter.grad = torch.full_like(parameter, 1e-3)
        optimizer.step()
        schedule.step()
    full = 0.5 * rate_share(4, 2, 10)
    found = [group["lr"] for group in optimizer.param_groups]
    expected = [full * 0.5**k for k in range(6) for _ in range(1 + exclude)]
    assert found == pytest.approx(expected)


def test_sgd_moves_each_stage_by_its_share() -> None:
    network = DescriptorNet(NetworkConfig("resnet18", 8))
    config = OptimizerConfig("sgd", 0.1, reference_batch=None, weight_decay=0.0, layer_decay=0.5)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = build_optimizer(network, config, pictures=1)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for name, below in (("head.weight", 0), ("backbone.layer4.0.conv1.weight", 1),
                        ("backbone.conv1.weight", 5)):  # fmt: skip
        moved = before[name] - dict(network.named_parameters())[name].detach()
        torch.testing.assert_close(moved, torch.full_like(moved, 0.1 * 0.5**below))


def test_scales_and_tokens_of_many_dimensions_are_vectors() -> None:
    network = nn.Module()
    network.layer_scale = nn.Parameter(torch.ones(6, 1, 1))
    network.class_token = nn.Parameter(torch.zeros(1, 1, 6))
    network.depthwise = nn.Parameter(torch.ones(6, 1, 3, 3))
    network.positions = nn.Parameter(torch.zeros(1, 5, 6))
    config = OptimizerConfig(exclude_bias_and_norm=True)
    kernels, vectors = parameter_groups(network, config, rate=1.0)
    assert [p.shape for p in vectors["params"]] == [(6, 1, 1), (1, 1, 6)]
    assert [p.shape for p in kernels["params"]] == [(6, 1, 3, 3), (1, 5, 6)]


def test_depth_needs_a_network_that_has_one() -> None:
    with pytest.raises(TypeError, match="layer_decay got a Sequential"):
        build_optimizer(network(), OptimizerConfig(layer_decay=0.5), pictures=1)


def checkpoint_of(descriptor: DescriptorNet, config: OptimizerConfig) -> dict[str, Any]:
    optimizer = build_optimizer(descriptor, config, pictures=256)
    schedule = warmup_cosine(optimizer, warmup=2, total=10, final_share=0.0)
    for _ in range(5):
        optimizer.step()
        schedule.step()
    return {
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [{"base_lrs": list(schedule.base_lrs)}],
    }


def test_a_restored_run_takes_the_configured_share_of_each_depth(
    descriptor: DescriptorNet,
) -> None:
    old = OptimizerConfig(lr=1.0, layer_decay=0.9, exclude_bias_and_norm=True)
    new = OptimizerConfig(lr=0.1, layer_decay=0.5, exclude_bias_and_norm=True)
    got, want = checkpoint_of(descriptor, old), checkpoint_of(descriptor, new)
    retune(got, new, pictures=256)
    assert got["lr_schedulers"][0]["base_lrs"] == pytest.approx(
        want["lr_schedulers"][0]["base_lrs"]
    )
    for own, other in zip(
        got["optimizer_states"][0]["param_groups"],
        want["optimizer_states"][0]["param_groups"],
        strict=True,
    ):
        assert own["lr"] == pytest.approx(other["lr"])
        assert own["initial_lr"] == pytest.approx(other["initial_lr"])


def test_depths_cannot_come_and_go_between_runs(descriptor: DescriptorNet) -> None:
    with_depth = OptimizerConfig(layer_decay=0.9)
    for saved, asked, word in (
        (with_depth, OptimizerConfig(), "was trained with layer_decay"),
        (OptimizerConfig(), with_depth, "was trained without layer_decay"),
    ):
        with pytest.raises(UserError, match=word):
            retune(checkpoint_of(descriptor, saved), asked, pictures=256)


def test_exemptions_cannot_come_and_go_between_runs(descriptor: DescriptorNet) -> None:
    for decay in (1.0, 0.9):
        exempt = OptimizerConfig(layer_decay=decay, exclude_bias_and_norm=True)
        plain = OptimizerConfig(layer_decay=decay)
        for saved, asked, word in ((exempt, plain, "with"), (plain, exempt, "without")):
            with pytest.raises(UserError, match=f"was trained {word} exclude_bias_and_norm"):
                retune(checkpoint_of(descriptor, saved), asked, pictures=256)


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize("layer_decay", [1.0, 0.9])
def test_decay_may_begin_in_a_restored_run(
    descriptor: DescriptorNet, exclude: bool, layer_decay: float
) -> None:
    common: dict[str, Any] = {"exclude_bias_and_norm": exclude, "layer_decay": layer_decay}
    new = OptimizerConfig(weight_decay=0.1, **common)
    got = checkpoint_of(descriptor, OptimizerConfig(weight_decay=0.0, **common))
    retune(got, new, pictures=256)
    want = checkpoint_of(descriptor, new)
    decays = [
        [group["weight_decay"] for group in content["optimizer_states"][0]["param_groups"]]
        for content in (got, want)
    ]
    assert decays[0] == decays[1]
    assert 0.1 in decays[0]


@pytest.mark.parametrize("name", ["lars", "adamw"])
@pytest.mark.parametrize("layer_decay", [1.0, 0.5])
@pytest.mark.parametrize("exempt", [False, True])
def test_a_learnt_exponent_is_in_a_group_of_its_own(
    name: Literal["lars", "adamw"], layer_decay: float, exempt: bool
) -> None:
    trained = DescriptorNet(NetworkConfig("resnet18", 8, gem_p_learnt=True))
    states: list[dict[str, Any]] = []
    configs = [
        OptimizerConfig(
            name=name,
            lr=lr,
            weight_decay=0.1,
            layer_decay=layer_decay,
            exclude_bias_and_norm=exempt,
        )
        for lr in (1.0, 0.25)
    ]
    for config in configs:
        optimizer = build_optimizer(trained, config, pictures=256)
        (exponent,) = (p for p in trained.parameters() if p.ndim == 0)
        group = optimizer.param_groups[-1]
        assert [id(p) for p in group["params"]] == [id(exponent)]
        assert (group["lr"], group["weight_decay"]) == (config.lr, 0)
        assert group.get("adapt", False) is False
        counted = [id(p) for group in optimizer.param_groups for p in group["params"]]
        assert sorted(counted) == sorted(map(id, trained.parameters()))
        states.append({"optimizer_states": [optimizer.state_dict()]})
    for group in states[0]["optimizer_states"][0]["param_groups"]:
        group["initial_lr"] = group["lr"]
    retune(states[0], configs[1], pictures=256)
    rates = [
        [group["lr"] for group in state["optimizer_states"][0]["param_groups"]] for state in states
    ]
    assert rates[0] == pytest.approx(rates[1])
