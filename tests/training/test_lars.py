"""The fused LARS against a loop over parameters, and by hand."""

import copy

import pytest
import torch
from torch import Tensor, nn

from sscd.training.lars import LARS


class NaiveLARS:
    """One parameter at a time, as the design writes it."""

    def __init__(self, params: list[Tensor], lr: float, momentum: float, decay: float) -> None:
        self.params, self.lr, self.momentum, self.decay = params, lr, momentum, decay
        self.velocity = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self) -> None:
        for p, v in zip(self.params, self.velocity, strict=True):
            assert p.grad is not None
            pn, gn = float(p.norm()), float(p.grad.norm())
            ratio = 1e-3 * pn / (gn + self.decay * pn + 1e-8) if pn and gn else 1.0
            v.mul_(self.momentum).add_(ratio * (p.grad + self.decay * p))
            p.sub_(self.lr * v)


def build() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))


def test_equals_a_loop_over_parameters() -> None:
    fused, plain = build(), build()
    with torch.no_grad():
        for network in (fused, plain):
            next(iter(network.children())).bias.zero_()  # type: ignore[operator]
    ours = LARS(fused.parameters(), 0.5, momentum=0.9, weight_decay=1e-2)
    naive = NaiveLARS(list(plain.parameters()), 0.5, 0.9, 1e-2)
    x = torch.randn(5, 3, 4, 4)
    for _ in range(5):
        for network in (fused, plain):
            network.zero_grad()
            network(x).square().sum().backward()
        ours.step()
        naive.step()
    for got, want in zip(fused.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)


def test_by_hand() -> None:
    p = nn.Parameter(torch.tensor([3.0, 4.0]))  # norm 5
    p.grad = torch.tensor([0.0, 2.0])  # norm 2
    LARS([p], 1.0, momentum=0.0, weight_decay=0.0).step()
    torch.testing.assert_close(p.detach(), torch.tensor([3.0, 4.0 - 0.001 * 5 / 2 * 2]))


def test_zero_parameter_moves_by_its_plain_gradient() -> None:
    p = nn.Parameter(torch.zeros(2))
    p.grad = torch.tensor([1.0, -1.0])
    LARS([p], 0.1, momentum=0.0, weight_decay=1.0).step()
    torch.testing.assert_close(p.detach(), torch.tensor([-0.1, 0.1]))


def test_groups_without_adaptation_are_plain_sgd() -> None:
    p = nn.Parameter(torch.tensor([3.0, 4.0]))
    p.grad = torch.tensor([1.0, 1.0])
    LARS([{"params": [p], "adapt": False}], 0.1, momentum=0.0, weight_decay=0.0).step()
    torch.testing.assert_close(p.detach(), torch.tensor([2.9, 3.9]))


def test_state_survives_saving() -> None:
    first, second = build(), build()
    a = LARS(first.parameters(), 0.1)
    x = torch.randn(5, 3, 4, 4)
    first(x).sum().backward()
    a.step()
    second.load_state_dict(first.state_dict())
    b = LARS(second.parameters(), 0.1)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    for network, optimizer in ((first, a), (second, b)):
        network.zero_grad()
        network(x).square().sum().backward()
        optimizer.step()
    for got, want in zip(second.parameters(), first.parameters(), strict=True):
        torch.testing.assert_close(got, want)


def test_parameters_without_gradient_stay() -> None:
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    LARS([p, q], 0.1).step()
    assert q.tolist() == [1.0, 1.0]
    assert p.tolist() != [1.0, 1.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [({"lr": -1.0}, "lr, weight_decay, trust got -1"), ({"lr": 1.0, "momentum": 1.0}, "momentum")],
)
def test_wrong_values(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LARS([nn.Parameter(torch.ones(1))], **values)
