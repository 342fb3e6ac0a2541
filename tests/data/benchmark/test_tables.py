"""The tables of a benchmark."""

from dataclasses import replace
from pathlib import Path

import pytest

from sscd.data.benchmark.tables import load_tables, settle_shares, table_digest
from sscd.errors import UserError
from tests.data.benchmark.requests import SMALL


def test_all_shipped_tables_are_loaded() -> None:
    tables = load_tables(SMALL)
    assert {key: table.name for key, table in tables.items()} == {
        "dev": "phase1",
        "test": "phase2",
        "by_hand": "by_hand",
        "air_gap": "air_gap",
    }
    assert len({table_digest(table) for table in tables.values()}) == 4
    assert table_digest(tables["dev"]) == table_digest(load_tables(SMALL)["dev"])


def test_shares_of_0_need_no_table() -> None:
    assert set(load_tables(replace(SMALL, by_hand=0.0, air_gap=0.0))) == {"dev", "test"}


def test_operations_are_left_out_wherever_they_are() -> None:
    tables = load_tables(replace(SMALL, leave_out=("crop", "legofy")))
    whole = load_tables(SMALL)
    assert "legofy" in whole["test"].operations
    assert "legofy" not in whole["dev"].operations
    for key, table in tables.items():
        assert set(whole[key].operations) - set(table.operations) <= {"crop", "legofy"}
        assert not {"crop", "legofy"} & set(table.operations)
    assert table_digest(tables["dev"]) != table_digest(whole["dev"])


def test_wrong_names_are_errors() -> None:
    with pytest.raises(UserError, match="--leave_out blurr: no table has that operation"):
        load_tables(replace(SMALL, leave_out=("blurr",)))
    with pytest.raises(UserError, match="nowhere"):
        load_tables(replace(SMALL, test_edits="nowhere"))


def test_a_share_is_0_where_all_of_its_table_is_switched_off() -> None:
    request = replace(SMALL, leave_out=("air_gap",))
    tables = load_tables(request)
    assert tables.keys() == {"dev", "test", "by_hand"}
    assert settle_shares(request, tables) == replace(request, air_gap=0.0)
    by_hand = tuple(load_tables(SMALL)["by_hand"].operations)
    request = replace(SMALL, dev_edits="phase2", leave_out=by_hand)
    assert settle_shares(request, load_tables(request)) == replace(request, by_hand=0.0)
    assert settle_shares(SMALL, load_tables(SMALL)) == SMALL


def test_a_phase_without_an_operation_is_an_error() -> None:
    operations = tuple(load_tables(SMALL)["dev"].operations)
    with pytest.raises(UserError, match="table of edits phase1: every operation is switched off"):
        load_tables(replace(SMALL, leave_out=operations))
    with pytest.raises(UserError, match="air_gap: every operation is switched off"):
        load_tables(replace(SMALL, test_edits="air_gap", leave_out=("air_gap",)))


def test_tables_that_need_other_pictures_need_extras(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--extras 0: table phase1.*--leave_out .*onto_background"):
        load_tables(replace(SMALL, extras=0))
    asking = ("onto_background", "collage")
    tables = load_tables(replace(SMALL, extras=0, leave_out=asking))
    assert not any(table.needs_secondary for table in tables.values())
