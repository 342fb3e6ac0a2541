import numpy as np
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.operation import Operation
from sscd.augment.edits.overlays import OverlayEmoji, OverlayStripes, OverlayText


def _changed_and_hidden(operation: Operation, seed: int) -> tuple[np.ndarray, np.ndarray]:
    grey = Image.new("RGB", (100, 80), (1, 3, 2))
    edited, _ = operation(Canvas.of(grey), np.random.default_rng(seed), None)
    changed = (np.asarray(edited.image) != (1, 3, 2)).any(axis=2)
    return changed, np.asarray(edited.cells) == 0


def test_opaque_overlays_hide_what_they_change() -> None:
    operations = (
        OverlayText(size=(0.2, 0.3), opacity=(1.0, 1.0)),
        OverlayEmoji(size=(0.3, 0.6), opacity=(1.0, 1.0)),
        OverlayStripes(
            width=(0.2, 0.4),
            density=(0.7, 0.9),
            angle=(-90, 90),
            opacity=(1.0, 1.0),
            kinds=("solid", "dashed", "dotted"),
        ),
    )
    for operation in operations:
        hidden_share = []
        for seed in range(12):
            changed, hidden = _changed_and_hidden(operation, seed)
            assert (changed | ~hidden).mean() > 0.98  # what is hidden was painted over
            if changed.any():
                hidden_share.append(hidden.sum() / changed.sum())
        assert np.mean(hidden_share) > 0.55  # the rest is the letters' soft edges


def test_faint_overlays_hide_nothing() -> None:
    for seed in range(5):
        text = OverlayText(size=(0.3, 0.3), opacity=(0.4, 0.4))
        assert not _changed_and_hidden(text, seed)[1].any()
        emoji = OverlayEmoji(size=(0.5, 0.5), opacity=(0.4, 0.4))
        changed, hidden = _changed_and_hidden(emoji, seed)
        assert changed.any()
        assert not hidden.any()


def test_stripes_take_the_share_that_their_width_says() -> None:
    stripes = OverlayStripes(
        width=(0.3, 0.3), density=(0.9, 0.9), angle=(0, 0), opacity=(1, 1), kinds=("solid",)
    )
    _, hidden = _changed_and_hidden(stripes, 0)
    assert 0.2 < hidden.mean() < 0.4
    assert (hidden == hidden[:, :1]).all()  # at no angle they are horizontal
