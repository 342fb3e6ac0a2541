import numpy as np
import torch

from sscd.baselines.gist.contrast import normalise_contrast


def textured(seed: int = 0) -> torch.Tensor:
    values = np.random.default_rng(seed).integers(0, 256, (2, 3, 32, 32))
    return torch.from_numpy(values.astype(np.float32))


def test_one_colour_has_no_contrast() -> None:
    for value in (0.0, 1.0, 255.0):
        got = normalise_contrast(torch.full((1, 3, 32, 32), value))
        assert got.shape == (1, 3, 32, 32)
        assert got.abs().max() < 2e-5


def test_light_and_contrast_are_taken_out() -> None:
    weak, strong = (normalise_contrast(torch.exp(c * textured() / 255) - 1) for c in (3.0, 4.0))
    # In logarithms the second has 4/3 of the contrast of the first; what is left is much nearer.
    assert 1.02 < strong.std() / weak.std() < 1.15
    # log(1 + x) of a picture lit k times as brightly is the same but for a constant.
    once, thrice = (normalise_contrast(k * (textured() + 1) - 1) for k in (1.0, 3.0))
    torch.testing.assert_close(once, thrice, atol=2e-5, rtol=1e-5)


def test_borders_are_mirrored() -> None:
    pictures = textured()
    got = normalise_contrast(pictures)
    turned = normalise_contrast(pictures.flip(-1))
    torch.testing.assert_close(got, turned.flip(-1), atol=1e-5, rtol=1e-5)


def test_the_deviation_is_that_of_the_mean_of_three() -> None:
    pictures = textured()
    grey = pictures[:, :1].expand(-1, 3, -1, -1)
    swapped = normalise_contrast(pictures[:, [2, 0, 1]])
    torch.testing.assert_close(swapped, normalise_contrast(pictures)[:, [2, 0, 1]])
    assert not torch.allclose(normalise_contrast(grey)[:, 0], normalise_contrast(pictures)[:, 0])
