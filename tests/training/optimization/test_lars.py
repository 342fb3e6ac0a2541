"""The fused LARS against a loop over parameters, and by hand."""

import copy
import multiprocessing
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sscd.training.optimization.lars import LARS


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


LARGE = 40_000  # elements: of a tensor that goes by itself


def twins(*shapes: tuple[int, ...], channels_last: bool = False) -> tuple[list[Tensor], ...]:
    """The same parameters with the same gradients twice, some of them large."""
    generator = torch.Generator().manual_seed(4)
    both: tuple[list[Tensor], list[Tensor]] = ([], [])
    for shape in shapes:
        value = torch.randn(shape, generator=generator)
        gradient = torch.randn(shape, generator=generator) * 1e-2
        for parameters in both:
            as_it_is = value.clone()
            if channels_last and value.ndim == 4:
                as_it_is = as_it_is.to(memory_format=torch.channels_last)
            parameters.append(nn.Parameter(as_it_is))
            parameters[-1].grad = torch.empty_like(as_it_is).copy_(gradient)
    return both


def assert_equal(ours: list[Tensor], naive: list[Tensor]) -> None:
    for got, want in zip(ours, naive, strict=True):
        torch.testing.assert_close(got, want, rtol=2e-6, atol=1e-7)
        assert got.stride() == want.stride()


@pytest.mark.parametrize("momentum", [0.9, 0.0])
@pytest.mark.parametrize("decay", [1e-2, 0.0])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_large_and_small_tensors_step_as_the_loop_does(
    threads: int, channels_last: bool, decay: float, momentum: float
) -> None:
    shapes = ((128, 64, 3, 3), (LARGE,), (300, 200), (7,), (64, 3, 7, 7), (128, 512, 1, 1), ())
    ours, plain = twins(*shapes, channels_last=channels_last)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        fused = LARS(ours, 0.3, momentum=momentum, weight_decay=decay)
        naive = NaiveLARS(plain, 0.3, momentum, decay)
        for _ in range(4):
            fused.step()
            naive.step()
    finally:
        torch.set_num_threads(before)
    assert_equal(ours, plain)
    for parameter, velocity in zip(ours, naive.velocity, strict=True):
        kept = fused.state[parameter]["velocity"]
        assert kept.stride() == parameter.stride()
        if momentum:
            torch.testing.assert_close(kept, velocity, rtol=2e-6, atol=1e-8)


def test_the_result_does_not_depend_on_threads() -> None:
    results = []
    for threads in (1, 2, 5):
        parameters, _ = twins((LARGE,), (300, 400), (128, 64, 3, 3), (9,))
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            optimizer = LARS(parameters, 0.3)
            for _ in range(3):
                optimizer.step()
        finally:
            torch.set_num_threads(before)
        results.append([p.detach().clone() for p in parameters])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("size", [3, LARGE])
@pytest.mark.parametrize("zero", ["parameter", "gradient", "both"])
def test_a_norm_of_zero_leaves_the_plain_step(size: int, zero: str) -> None:
    ours, plain = twins((size,))
    for (p,) in (ours, plain):
        assert p.grad is not None
        with torch.no_grad():
            if zero != "gradient":
                p.zero_()
            if zero != "parameter":
                p.grad.zero_()
    fused, naive = LARS(ours, 0.3, weight_decay=0.1), NaiveLARS(plain, 0.3, 0.9, 0.1)
    for _ in range(3):
        fused.step()
        naive.step()
    assert_equal(ours, plain)


def test_layouts_that_differ_step_as_the_loop_does() -> None:
    values, gradient = torch.randn(200, 300), torch.randn(300, 200)
    ours = nn.Parameter(values.clone())
    plain = nn.Parameter(values.clone())
    every_other = nn.Parameter(torch.randn(LARGE * 2)[::2])
    its_twin = nn.Parameter(every_other.detach().clone())
    ours.grad, plain.grad = gradient.T, gradient.T.contiguous()
    assert not ours.grad.is_contiguous()
    every_other.grad, its_twin.grad = torch.ones(LARGE), torch.ones(LARGE)
    fused = LARS([ours, every_other], 0.3, weight_decay=1e-3)
    naive = NaiveLARS([plain, its_twin], 0.3, 0.9, 1e-3)
    for _ in range(2):
        fused.step()
        naive.step()
    torch.testing.assert_close([ours, every_other], [plain, its_twin], rtol=2e-6, atol=1e-6)


def test_a_large_group_without_adaptation_is_plain_sgd() -> None:
    ours, plain = twins((LARGE,), (250, 250))
    fused = LARS([{"params": ours, "adapt": False}], 0.1, weight_decay=1e-2)
    sgd = torch.optim.SGD(plain, 0.1, momentum=0.9, weight_decay=1e-2)
    for _ in range(3):
        fused.step()
        sgd.step()
    assert_equal(ours, plain)


def test_double_precision_stays() -> None:
    parameter = nn.Parameter(torch.randn(LARGE, dtype=torch.float64))
    plain = nn.Parameter(parameter.detach().clone())
    parameter.grad = torch.randn(LARGE, dtype=torch.float64)
    plain.grad = parameter.grad.clone()
    fused, naive = LARS([parameter], 0.3), NaiveLARS([plain], 0.3, 0.9, 1e-6)
    for _ in range(2):
        fused.step()
        naive.step()
    torch.testing.assert_close(parameter, plain, rtol=1e-12, atol=1e-13)


def test_what_is_not_finite_shows_in_the_weights() -> None:
    for size in (3, LARGE):
        parameter = nn.Parameter(torch.ones(size))
        parameter.grad = torch.ones(size)
        parameter.grad[1] = torch.nan
        LARS([parameter], 0.1).step()
        assert not torch.isfinite(parameter).all()


def test_a_process_that_was_forked_off_can_step(tmp_path: Path) -> None:
    parameters, _ = twins((LARGE,), (300, 200))
    optimizer = LARS(parameters, 0.1)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    optimizer.step()  # starts this process's threads
    done = tmp_path / "done"

    def child() -> None:
        optimizer.step()
        done.write_text("stepped")

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(60)
    torch.set_num_threads(before)
    assert process.exitcode == 0
    assert done.read_text() == "stepped"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_steps_as_the_loop_does_and_reads_nothing_back() -> None:
    ours, plain = twins((LARGE,), (128, 64, 3, 3), (7,), channels_last=True)
    on_gpu = [nn.Parameter(p.detach().cuda()) for p in ours]
    for p, q in zip(on_gpu, ours, strict=True):
        assert q.grad is not None
        p.grad = q.grad.cuda()
    fused, naive = LARS(on_gpu, 0.3, weight_decay=1e-2), NaiveLARS(plain, 0.3, 0.9, 1e-2)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(4):
            fused.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for _ in range(4):
        naive.step()
    assert_equal([p.cpu() for p in on_gpu], plain)


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
