import numpy as np

from sscd.augment.edits.script import script_line


def test_a_line_ends_within_a_word_of_its_length() -> None:
    for seed in range(20):
        words = script_line(np.random.default_rng(seed), length=20.0, slant=0.0)
        assert words[-1][:, 0].min() < 20.5
        assert 19 < words[-1][:, 0].max() < 20.5 + 7 * 1.6
        starts = [word[0, 0] for word in words]
        assert starts == sorted(starts)


def test_letters_rise_and_fall_as_writing_does() -> None:
    words = script_line(np.random.default_rng(0), length=1e9, slant=0.0)
    path = np.concatenate(words)
    assert -2.9 < path[:, 1].min() < -1.5  # ascenders; y points downwards
    assert 0.7 < path[:, 1].max() < 1.8  # descenders
    assert len(words) <= 20  # 40 letters at most, words of two or more


def test_slanted_letters_lean_to_the_right() -> None:
    upright, slanted = (
        np.concatenate(script_line(np.random.default_rng(3), length=15.0, slant=slant))
        for slant in (0.0, 0.5)
    )
    np.testing.assert_allclose(slanted[:, 1], upright[:, 1])
    np.testing.assert_allclose(slanted[:, 0] - upright[:, 0], -0.5 * upright[:, 1], atol=1e-9)
