import math

import numpy as np
import torch

from sscd.baselines.gist.filters import gabor_bank, low_pass


def test_the_low_pass_keeps_the_mean_and_halves_at_four_cycles() -> None:
    transfer = low_pass(42)
    assert transfer.shape == (42, 22)
    assert transfer[0, 0] == 1
    np.testing.assert_allclose(transfer[[0, 4, 38], [4, 0, 0]], 0.5, rtol=1e-6)
    np.testing.assert_allclose(transfer[3, 4], 2 ** (-25 / 16), rtol=1e-6)


def test_a_filter_looks_in_one_direction_at_one_scale() -> None:
    bank = gabor_bank(32)
    assert bank.shape == (20, 32, 32)
    assert bank.dtype == torch.float32
    # Peaks at 32 · 0.3 / 1.85^s = 9.6, 5.2 and 2.8 cycles, to the right: φ = 0.
    for first, peak in ((0, 10), (8, 5), (16, 3)):
        assert divmod(int(bank[first].argmax()), 32) == (0, peak)
    # θ = π/2 of each scale looks up: negative vertical frequencies.
    for upward, peak in ((4, 10), (12, 5), (18, 3)):
        assert divmod(int(bank[upward].argmax()), 32) == (32 - peak, 0)


def test_values_by_hand() -> None:
    bank = gabor_bank(32).double()
    np.testing.assert_allclose(bank[0, 0, 0], math.exp(-3.5), rtol=1e-6)
    # 2.8 cycles; the four orientations of the third scale are twice as wide: (o/8)² = 1/4.
    radial = -3.5 * (4 / (32 * 0.3 / 1.85**2) - 1) ** 2
    np.testing.assert_allclose(bank[16, 0, 4], math.exp(radial), rtol=1e-6)
    angular = -2 * math.pi / 4 * (math.pi / 2) ** 2
    np.testing.assert_allclose(bank[16, 4, 0], math.exp(radial + angular), rtol=1e-6)
    # Behind it, π away, whichever way round: θ = 7π/8 and a direction of π/2 make 11π/8 → −5π/8.
    angular = -2 * math.pi * (5 * math.pi / 8) ** 2
    radial = -3.5 * (9 / 9.6 - 1) ** 2
    np.testing.assert_allclose(bank[7, 9, 0], math.exp(radial + angular), rtol=1e-5)
