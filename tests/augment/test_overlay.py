import numpy as np
from PIL import Image

from sscd.augment.overlay import EmojiOverlay, TextOverlay


def test_draws_stay_in_their_ranges_and_repeat() -> None:
    texts = [TextOverlay.draw(np.random.default_rng(i)) for i in range(300)]
    assert texts == [TextOverlay.draw(np.random.default_rng(i)) for i in range(300)]
    assert all(0.1 <= text.size <= 0.3 and 0.1 <= text.opacity <= 1 for text in texts)
    assert all(text.y + text.size <= 1 and 1 <= len(text.characters) <= 25 for text in texts)
    assert max(text.opacity for text in texts) > 0.9
    emoji = [EmojiOverlay.draw(np.random.default_rng(i)) for i in range(300)]
    assert all(0.1 <= one.size <= 0.5 and 0.7 <= one.opacity <= 1 for one in emoji)
    assert all(one.x + one.size <= 1 and one.y + one.size <= 1 for one in emoji)
    assert len({one.emoji for one in emoji}) > 200


def test_applying_changes_a_copy_the_same_way_each_time() -> None:
    image = Image.new("RGB", (60, 40), (90, 120, 30))
    rng = np.random.default_rng(3)
    for overlay in (TextOverlay.draw(rng, opacity=(1, 1)), EmojiOverlay.draw(rng)):
        once, again = overlay.apply(image), overlay.apply(image)
        assert once.tobytes() == again.tobytes()
        assert once.tobytes() != image.tobytes()
    assert image.getcolors() == [(2400, (90, 120, 30))]
