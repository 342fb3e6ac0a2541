from collections.abc import Callable

import numpy as np
import pytest
import torch

from sscd.attacks import transformations
from sscd.attacks.transformations import Transformation, random_transformation


def always(made: torch.Tensor) -> Callable[[np.random.Generator], Transformation]:
    return lambda _: lambda _: made


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def picture(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 255 * torch.rand(1, 3, height, width, generator=generator)


@pytest.mark.parametrize("size", [(24, 33), (5, 2), (1, 1)])
def test_each_gives_a_picture_and_passes_a_gradient(size: tuple[int, int]) -> None:
    for seed in range(60):
        pixels = picture(*size).requires_grad_()
        changed = random_transformation(rng(seed))(pixels)
        assert changed.shape[:2] == (1, 3)
        assert min(changed.shape[2:]) >= 1
        assert all(new <= old for new, old in zip(changed.shape[2:], size, strict=True))
        assert -1e-3 <= changed.min().item() <= changed.max().item() <= 255.001
        (gradient,) = torch.autograd.grad(changed.square().sum(), pixels)
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0


def test_the_same_numbers_make_the_same_picture() -> None:
    pixels = picture(20, 30)
    for seed in range(20):
        drawn = random_transformation(rng(seed))
        first = drawn(pixels)
        assert torch.equal(first, drawn(pixels))
        assert torch.equal(first, random_transformation(rng(seed))(pixels))
    shown = {tuple(random_transformation(rng(s))(pixels).flatten()[:9].tolist()) for s in range(20)}
    assert len(shown) > 12


def test_all_kinds_come_and_half_are_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("crop", "reduction", "rotation", "blur", "light", "noise")
    for number, kind in enumerate(kinds, start=1):
        plain = torch.full((1, 3, 4, 4), float(number))
        monkeypatch.setattr(transformations, f"_{kind}", always(plain))
    pixels = picture(4, 4)
    made = [random_transformation(rng(seed))(pixels) for seed in range(700)]
    numbers = [float(one.mean()) for one in made if float(one.std()) == 0]
    counts = [numbers.count(number) for number in range(1, 7)]
    assert min(*counts, 700 - sum(counts)) > 60
    kept = [one for one in made if float(one.std()) > 0]
    assert all(torch.equal(one, pixels) or torch.equal(one, pixels.flip(-1)) for one in kept)
    assert 0.3 < sum(torch.equal(one, pixels) for one in kept) / len(kept) < 0.7


def test_a_rotation_keeps_the_shape_of_things() -> None:
    turned = next(
        made
        for made in (transformations._rotation(rng(seed)) for seed in range(50))
        if abs(float(made(ramp(40, 80))[0, 0, 20, 40]) - 127.5) < 1
    )
    # A disc is still one: as many of its pixels above as beside the middle.
    y, x = torch.meshgrid(torch.arange(40) - 19.5, torch.arange(80) - 39.5, indexing="ij")
    disc = 255.0 * (x.square() + y.square() < 12**2).expand(1, 3, 40, 80)
    assert float((turned(disc) - disc).abs().mean()) < 2


def ramp(height: int, width: int) -> torch.Tensor:
    return torch.linspace(0, 255, width).expand(1, 3, height, width)
