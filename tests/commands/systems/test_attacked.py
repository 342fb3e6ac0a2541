"""Attacks as rows: the queries that all of them hold, and what a system finds there."""

from pathlib import Path

import pytest
from PIL import Image

from sscd.commands.systems.attacked import Attacks, attack_table, micro_aps_under
from sscd.commands.systems.data import TableData
from sscd.errors import UserError
from tests.commands.systems.thumbnails import MARK, open_disc, thumbnails, write_attack


@pytest.fixture
def data(tmp_path: Path) -> TableData:
    return open_disc(tmp_path)


def test_queries_are_those_that_have_a_match_and_every_attack(
    data: TableData, tmp_path: Path
) -> None:
    # Q000 to Q003 are copies, the others distractors.
    first = write_attack(tmp_path / "x", data, ["Q000", "Q001", "Q003", "Q006"], psnr=30)
    second = write_attack(tmp_path / "y", data, ["Q003", "Q001", "Q002"], psnr=40)
    attacks = Attacks.open([first, second], data)
    assert attacks.untouched.ids == ["Q001", "Q003"]
    assert [one.pictures.ids for one in attacks.attacked] == [["Q001", "Q003"]] * 2
    assert [one.psnr for one in attacks.attacked] == [30, 40]
    # The mean of these pictures alone: places 1 and 2 of the first, 1 and 0 of the second.
    assert [one.measured_psnr for one in attacks.attacked] == [31.5, 40.5]
    assert attacks.matched == 4


def test_what_is_found_in_each_set(data: TableData, tmp_path: Path) -> None:
    ids = ["Q000", "Q001", "Q002", "Q003"]
    same = write_attack(tmp_path / "same", data, ids, psnr=50)
    grey = write_attack(tmp_path / "grey", data, ids, psnr=10, model="f" * 16)
    for file in grey.glob("*.jpg"):
        Image.new("RGB", (48, 48), (128, 128, 128)).save(file)
    attacks = Attacks.open([same, grey], data)
    system = thumbnails()
    system.learn(data.collection.training)
    system.index(data.collection.references)
    found = micro_aps_under(attacks, system, data)
    untouched, unchanged, lost = found.values()
    assert untouched == unchanged > 0.9
    assert lost < 0.5
    marks = {"thumbnail": MARK, "hash": ""}
    table = attack_table(attacks, {"thumbnail": found, "hash": found}, marks)
    assert [row.label for row in table.rows] == ["none", "thumbnail, 50 dB", "network, 10 dB"]
    assert [tuple(row.white_box) for row in table.rows] == [(), ("thumbnail",), ()]
    assert table.rows[2].micro_ap == {"thumbnail": lost, "hash": lost}


def test_two_attacks_that_look_alike_are_told_apart(data: TableData, tmp_path: Path) -> None:
    places = [write_attack(tmp_path / name, data, ["Q000"], psnr=30) for name in ("one", "two")]
    attacks = Attacks.open(places, data)
    keys = [key for key, _ in attacks.sets()]
    table = attack_table(attacks, {"sscd": dict.fromkeys(keys, 0.5)}, {"sscd": ""})
    assert [row.model for row in table.rows[1:]] == ["network (one)", "network (two)"]
    mark = attacks.attacked[0].fingerprint
    table = attack_table(attacks, {"sscd": dict.fromkeys(keys, 0.5)}, {"sscd": mark})
    assert [row.model for row in table.rows[1:]] == ["sscd (one)", "sscd (two)"]


def test_changed_pictures_are_another_set(data: TableData, tmp_path: Path) -> None:
    place = write_attack(tmp_path / "x", data, ["Q000", "Q001"], psnr=30)
    before = [key for key, _ in Attacks.open([place], data).sets()]
    Image.new("RGB", (64, 64)).save(place / "Q001.jpg")
    after = [key for key, _ in Attacks.open([place], data).sets()]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_what_is_refused(data: TableData, tmp_path: Path) -> None:
    strangers = write_attack(tmp_path / "x", data, ["Q005"], psnr=30)
    with pytest.raises(UserError, match="share no query of disc that has a match"):
        Attacks.open([strangers], data)
    with pytest.raises(UserError, match="given twice"):
        Attacks.open([strangers, tmp_path / "." / "x"], data)
    with pytest.raises(UserError, match=r"attack\.json"):
        Attacks.open([tmp_path / "disc"], data)
