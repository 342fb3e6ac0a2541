import json
import math
from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from sscd.augment import edits
from sscd.augment.edits import edit_query


def _picture(width: int = 80, height: int = 60) -> Image.Image:
    noise = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def test_edits_repeat_and_leave_the_source() -> None:
    image = _picture()
    before = image.tobytes()
    for i in range(60):
        a = edit_query(image, np.random.default_rng(i))
        b = edit_query(image, np.random.default_rng(i))
        assert a.image.tobytes() == b.image.tobytes()
        assert a.operations == b.operations
        assert a.image.mode == "RGB"
        assert (a.image.size, a.image.tobytes()) != (image.size, before)
    assert image.tobytes() == before


def test_chains_are_one_to_three_with_the_crop_first() -> None:
    lengths: Counter[int] = Counter()
    names: Counter[str] = Counter()
    for i in range(1000):
        chain = [
            edit.name for edit in edit_query(_picture(24, 20), np.random.default_rng(i)).operations
        ]
        lengths[len(chain)] += 1
        names.update(chain)
        assert len(set(chain)) == len(chain)
        assert "crop" not in chain[1:]
    assert set(lengths) == {1, 2, 3}
    for length, p in edits.CHAIN_LENGTHS.items():
        assert abs(lengths[length] / 1000 - p) < 5 * math.sqrt(p * (1 - p) / 1000)
    assert set(names) == set(edits._EDITS)
    assert min(names.values()) > 40


def test_every_parameter_is_json_and_ids_the_edit() -> None:
    for i in range(200):
        edited = edit_query(_picture(30, 40), np.random.default_rng(i))
        for operation in edited.operations:
            line = json.loads(json.dumps(asdict(operation)))
            assert line["name"] == operation.name
            silent = {"greyscale", "horizontal_flip"}
            assert bool(line["parameters"]) == (operation.name not in silent)


def test_strengths_stay_moderate() -> None:
    for i in range(500):
        for edit in edit_query(_picture(), np.random.default_rng(i)).operations:
            parameters = dict(edit.parameters)
            if edit.name == "crop" and isinstance(box := parameters["box"], tuple):
                area = (box[2] - box[0]) * (box[3] - box[1]) / (80 * 60)
                assert 0.29 <= area <= 0.91
            if edit.name == "jpeg_quality" and isinstance(quality := parameters["quality"], int):
                assert 5 <= quality <= 50


@pytest.mark.parametrize("shape", [(1, 1), (1, 120), (120, 1), (3, 2)])
def test_tiny_pictures_survive(shape: tuple[int, int]) -> None:
    for i in range(80):
        edited = edit_query(_picture(*shape), np.random.default_rng(i))
        assert min(edited.image.size) >= 1
        assert max(edited.image.size) <= 5.5 * max(shape) + 8


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="expected RGB"):
        edit_query(Image.new("RGBA", (9, 9)), np.random.default_rng(0))
