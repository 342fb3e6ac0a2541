"""The two tables of edits that DISC21 had done by hand."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.chain import edit_picture
from sscd.augment.edits.table import load_table
from sscd.configs import find_edits
from sscd.errors import UserError


class Others:
    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        return f"S{int(rng.integers(10))}", picture(int(rng.integers(10)))


def picture(seed: int) -> Image.Image:
    """Smooth blobs of colour, in which something is salient."""
    colors = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(colors).resize((160, 120), Image.Resampling.BICUBIC)


def test_the_paper_has_two_to_five_tools_an_edit() -> None:
    assert sorted(load_table("by_hand").chain) == [2, 3, 4, 5]
    assert load_table("air_gap").chain == {1: 1.0}


def test_figure_4_can_be_made_and_takes_about_half_of_the_draws() -> None:
    table = load_table("by_hand")
    own = {"handwriting", "drawing", "circle_salient", "paste_salient", "keep_salient_sharp"}
    ordinary = {"text_overlay", "perspective", "padding", "pixelization", "onto_background"}
    assert own | ordinary <= set(table.operations)
    share = sum(table.weights[name] for name in own) / sum(table.weights.values())
    assert 0.4 < share < 0.6


@pytest.mark.parametrize("name", ["by_hand", "air_gap"])
def test_copies_show_their_source(name: str) -> None:
    table, seen = load_table(name), set()
    secondary = Others() if table.needs_secondary else None
    dropped = 0
    for seed in range(60):
        source = picture(seed)
        edited = edit_picture(source, table, np.random.default_rng(seed), secondary=secondary)
        again = edit_picture(source, table, np.random.default_rng(seed), secondary=secondary)
        assert edited.image.tobytes() == again.image.tobytes()
        assert edited.surviving_area >= table.minimum_surviving_area
        assert edited.image.tobytes() != source.tobytes()
        seen |= {applied.name for applied in edited.operations}
        dropped += len(edited.dropped)
    assert seen == set(table.operations)
    assert dropped <= 3


@pytest.mark.parametrize(
    ("key", "value"), [("tilt", "[-80.0, 20.0]"), ("distance", "[0.0, 2.5]"), ("grid", "[0, 9]")]
)
def test_ranges_that_would_break_a_photograph_are_refused(
    tmp_path: Path, key: str, value: str
) -> None:
    text = find_edits("air_gap").read_text()
    changed = re.sub(rf"{key}: {{value: \[.*?\]", f"{key}: {{value: {value}", text)
    assert changed != text
    path = tmp_path / "table.yaml"
    path.write_text(changed)
    with pytest.raises(UserError, match=f"air_gap.*{key}"):
        load_table(path)
