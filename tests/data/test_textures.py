import numpy as np
import pytest

from sscd.data.textures import _pattern, _power_noise, draw_texture


def test_noise_has_the_asked_spectrum() -> None:
    flat, steep = (
        _power_noise(np.random.default_rng(0), side=128, exponent=exponent)
        for exponent in (0.0, 2.0)
    )
    for noise in (flat, steep):
        assert noise.shape == (128, 128)
        assert float(noise.min()) == 0
        assert float(noise.max()) == 1

    def roughness(values: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
        return float(np.abs(np.diff(values, axis=1)).mean() / values.std())

    assert roughness(steep) < 0.2 * roughness(flat)


@pytest.mark.parametrize("kind", ["gradient", "stripes", "checks"])
def test_patterns_fill_the_square(kind: str) -> None:
    for seed in range(20):
        values = _pattern(np.random.default_rng(seed), size=40, kind=kind)
        assert values.shape == (40, 40)
        assert 0 <= float(values.min()) < float(values.max()) <= 1


def test_textures_are_never_blank() -> None:
    palette = np.full((4, 3), 120, dtype=np.uint8)
    for seed in range(60):
        texture = draw_texture(np.random.default_rng(seed), size=32, palette=palette)
        assert (texture.mode, texture.size) == ("RGB", (32, 32))
    palette[:2] = 10
    deviations = [
        np.asarray(draw_texture(np.random.default_rng(s), size=32, palette=palette)).std()
        for s in range(60)
    ]
    assert min(deviations) > 3
