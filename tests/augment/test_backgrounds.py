import json

import numpy as np

from sscd.augment.backgrounds import draw_background


def test_backgrounds_have_their_size_and_say_what_they_are() -> None:
    kinds = set()
    for i in range(60):
        image, description = draw_background(np.random.default_rng(i), width=37, height=21)
        assert (image.mode, image.size) == ("RGB", (37, 21))
        assert json.loads(json.dumps(description)) == description
        kinds.add(description["kind"])
        if description["kind"] == "plain":
            assert len(image.getcolors() or []) == 1
    assert kinds == {"plain", "gradient", "clouds", "tiles"}
