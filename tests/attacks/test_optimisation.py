import numpy as np
import pytest
import torch
from torch import Tensor

from sscd.attacks.describing import DifferentiableDescriber
from sscd.attacks.optimisation import AttackConfig, attack_pictures
from sscd.attacks.psnr import psnr
from sscd.attacks.transformations import Transformation
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import to_uint8_tensor
from sscd.data.procedural import draw_picture
from tests.models.networks import small_network

IDS = ("a", "b", "c")
QUICK = AttackConfig(psnr=30, steps=3)


def pictures() -> list[Tensor]:
    drawn = [to_uint8_tensor(draw_picture(seed=2, index=i, size=48)) for i in range(3)]
    return [drawn[0], drawn[1][:, :30], drawn[2]]


def describer() -> DifferentiableDescriber:
    return DifferentiableDescriber(small_network(dims=16), InferenceSize(32))


def cosines(attacked: list[Tensor]) -> list[float]:
    with torch.no_grad():
        before = describer()([picture[None].float() for picture in pictures()])
        after = describer()([picture[None].float() for picture in attacked])
    return (before * after).sum(dim=1).tolist()


def as_it_is(rng: np.random.Generator) -> Transformation:
    return lambda picture: picture


def test_descriptors_move_further_than_by_noise_of_that_psnr() -> None:
    config = AttackConfig(psnr=30, steps=5)
    made = attack_pictures(describer(), pictures(), IDS, config, transformation=as_it_is)
    for attacked, picture in zip(made, pictures(), strict=True):
        assert (attacked.dtype, attacked.shape) == (torch.uint8, picture.shape)
        assert float(psnr(attacked[None], picture[None])) == pytest.approx(30, abs=0.02)
    generator = torch.Generator().manual_seed(1)
    noisy = [
        (picture + 255 / 10**1.5 * torch.randn(picture.shape, generator=generator)).clamp(0, 255)
        for picture in pictures()
    ]
    assert 3 - sum(cosines(made)) > 10 * (3 - sum(cosines(noisy)))


def test_the_network_is_left_alone() -> None:
    attacked = describer()
    before = {name: value.clone() for name, value in attacked.network.state_dict().items()}
    attack_pictures(attacked, pictures(), IDS, QUICK)
    assert all(parameter.grad is None for parameter in attacked.network.parameters())
    assert all(torch.equal(before[k], v) for k, v in attacked.network.state_dict().items())


def test_a_picture_follows_from_its_id_and_the_seed() -> None:
    first = attack_pictures(describer(), pictures(), IDS, QUICK)
    assert all(map(torch.equal, first, attack_pictures(describer(), pictures(), IDS, QUICK)))
    other = AttackConfig(psnr=30, steps=3, seed=1)
    assert not torch.equal(first[0], attack_pictures(describer(), pictures(), IDS, other)[0])
    renamed = attack_pictures(describer(), pictures(), ("x", "b", "c"), QUICK)
    assert not torch.equal(first[0], renamed[0])


def test_the_others_of_a_batch_do_not_matter_but_for_rounding() -> None:
    together = attack_pictures(describer(), pictures(), IDS, QUICK)
    for place in (0, 1):
        (alone,) = attack_pictures(describer(), [pictures()[place]], [IDS[place]], QUICK)
        difference = (alone.float() - together[place].float()).abs()
        assert float((difference > 1).float().mean()) < 0.02


@pytest.mark.parametrize("level", [0, 128, 255])
def test_plain_pictures_are_attacked_too(level: int) -> None:
    plain = torch.full((3, 40, 40), level, dtype=torch.uint8)
    (made,) = attack_pictures(describer(), [plain], ["a"], AttackConfig(psnr=35, steps=2))
    assert float(psnr(made[None], plain[None])) == pytest.approx(35, abs=0.02)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"psnr": 4.9}, "psnr got 4.9"),
        ({"psnr": float("nan")}, "psnr got nan"),
        ({"steps": 0}, "steps got 0"),
        ({"lr": 0.0}, "lr got 0.0"),
        ({"lr": float("inf")}, "lr got inf"),
        ({"weight": 1.0}, "weight got 1.0"),
        ({"weight": -0.1}, "weight got -0.1"),
        ({"seed": -1}, "seed got -1"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AttackConfig(**settings)  # type: ignore[arg-type]


def test_there_must_be_an_id_for_each() -> None:
    with pytest.raises(ValueError, match="got 2 ids of 3 pictures"):
        attack_pictures(describer(), pictures(), IDS[:2], QUICK)
