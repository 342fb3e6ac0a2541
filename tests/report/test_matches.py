"""The sheet of matches."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.data.records import ImageSet
from sscd.evaluation.candidates import Candidates
from sscd.report.matches import Match, best_matches, write_match_sheet


def test_each_query_once_the_most_confident_first() -> None:
    candidates = Candidates(
        query_ids=("q0", "q1", "q2"),
        query=np.array([0, 0, 1, 1]),
        reference=np.array([0, 1, 1, 0]),
        scores=np.array([-0.5, -0.2, -0.1, -0.1], dtype=np.float32),
        correct=np.array([True, False, True, False]),
        true_counts=np.array([1, 1, 0]),
    )
    matches = best_matches(candidates, ["r0", "r1"])
    assert [(m.query, m.reference, m.correct) for m in matches] == [
        ("q1", "r0", False),  # a tie: the wrong one counts first
        ("q0", "r1", False),
    ]
    assert matches[1].score == pytest.approx(-0.2)


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    for index, color in enumerate([(200, 0, 0), (0, 200, 0)]):
        Image.new("RGB", (60, 30), color).save(tmp_path / f"{index}.png")
    (tmp_path / "2.png").write_bytes(b"broken")
    return ImageSet.from_names("x", root=tmp_path, names=["0.png", "1.png", "2.png"])


def test_sheet_shows_query_and_match(images: ImageSet, tmp_path: Path) -> None:
    matches = [Match("0", "1", -0.1, True), Match("1", "2", -0.2, False)]
    out = tmp_path / "sheet.png"
    write_match_sheet(out, matches, queries=images, references=images, tile=40, columns=2)
    sheet = np.asarray(Image.open(out))
    red = (sheet == (200, 0, 0)).all(axis=2)
    green = (sheet == (0, 200, 0)).all(axis=2)
    assert red.any()
    assert green.any()
    red_x, green_x = np.nonzero(red)[1].mean(), np.nonzero(green[:70])[1].mean()
    assert red_x < green_x, "the query stands left of its match"


def test_sheet_without_a_mistake_or_without_anything(images: ImageSet, tmp_path: Path) -> None:
    for number, matches in enumerate(([Match("0", "1", -0.1, True)], [])):
        out = tmp_path / f"{number}.jpg"
        write_match_sheet(out, matches, queries=images, references=images)
        assert Image.open(out).size[0] > 100
