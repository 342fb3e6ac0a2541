from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.recipes.row import Row
from benchmarks.recipes.settings import check_same, error_in
from sscd.errors import UserError

RESOLVED = {
    "seed_everything": 0,
    "run_dir": "here",
    "data": {"root": "/a", "workers": 0, "batch_size": 64, "younger": {"views": 0}},
    "trainer": {"max_epochs": 24, "accelerator": "auto"},
}


def run_with(tmp_path: Path, config: dict[str, Any]) -> Path:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return tmp_path


def row(**train: Any) -> Row:
    return Row("x", "about", "x", train)


def test_places_and_younger_settings_may_differ(tmp_path: Path) -> None:
    before = {
        "seed_everything": 0,
        "run_dir": None,
        "data": {"root": "/b", "workers": 8, "batch_size": 64},
        "trainer": {"max_epochs": 24, "accelerator": "cpu"},
    }
    check_same(run_with(tmp_path, before), RESOLVED, row(data={"batch_size": 64}))
    with pytest.raises(UserError, match=r"data.younger.views None, and row x has 0"):
        check_same(tmp_path, RESOLVED, row(data={"younger": {"views": 0}}))


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("data", "batch_size", 32), ("trainer", "max_epochs", 12), ("data", "older", 1)],
)
def test_another_training_is_refused(tmp_path: Path, section: str, key: str, value: int) -> None:
    before = yaml.safe_load(yaml.safe_dump(RESOLVED))
    before[section][key] = value
    with pytest.raises(UserError, match=f"{section}.{key} {value}.*--again"):
        check_same(run_with(tmp_path, before), RESOLVED, row())


def test_the_last_error_is_told() -> None:
    assert error_in("a\nsscd: error: this\nafter\n") == "this"
    assert error_in("Traceback\n  ValueError: x\n") == "ValueError: x"
    assert error_in("") == "it said nothing"
