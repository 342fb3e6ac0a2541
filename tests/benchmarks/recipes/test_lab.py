from pathlib import Path

import pytest

from benchmarks.recipes.lab import VERSION, Lab, write_json
from sscd.errors import UserError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is no laboratory yet"),
        ("{", "cannot be read"),
        ("[1]", "holds no object"),
        ('{"version": 0}', "has version 0; expected 1"),
        (f'{{"version": {VERSION}, "views": {{}}}}', "lacks views or pictures"),
    ],
)
def test_a_damaged_laboratory_is_told_from_a_whole_one(
    tmp_path: Path, text: str | None, said: str
) -> None:
    lab = Lab(tmp_path)
    if text is not None:
        lab.budget.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said) as caught:
        lab.read_budget()
    assert str(tmp_path) in str(caught.value)


def test_a_whole_one_is_read(tmp_path: Path) -> None:
    values = {"version": VERSION, "views": {"units": 9}, "pictures": {}}
    write_json(Lab(tmp_path).budget, values)
    assert Lab(tmp_path).read_budget() == values
