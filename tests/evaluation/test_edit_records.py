from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.evaluation.edit_records import read_edits

GOOD = '{"query_id": "Q0", "edits": [{"name": "blur", "parameters": {"radius": 2}}]}'


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "edits.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_names_in_order(tmp_path: Path) -> None:
    many = '{"query_id": "Q1", "edits": [{"name": "crop"}, {"name": "blur"}, {"name": "crop"}]}'
    none = '{"query_id": "Q2", "edits": [], "split": "dev"}'
    got = read_edits(written(tmp_path, GOOD, many, "", none, ""))
    assert got == {"Q0": ("blur",), "Q1": ("crop", "blur", "crop"), "Q2": ()}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ("\x00", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "got a list; expected an object"),
        ('{"edits": []}', "key 'query_id' is missing"),
        ('{"query_id": 7, "edits": []}', "key 'query_id': got an integer; expected text"),
        ('{"query_id": "Q1"}', "key 'edits' is missing"),
        ('{"query_id": "Q1", "edits": "blur"}', "key 'edits': got text; expected a list"),
        ('{"query_id": "Q1", "edits": ["blur"]}', "key 'edits': got text; expected an object"),
        ('{"query_id": "Q1", "edits": [{}]}', "key 'edits': key 'name' is missing"),
        ('{"query_id": "Q1", "edits": [{"name": null}]}', "key 'name': got null"),
        ('{"query_id": "Q0", "edits": []}', "query Q0 is there twice"),
    ],
)
def test_a_malformed_line_is_named_with_its_number(line: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as raised:
        read_edits(written(tmp_path, GOOD, line))
    assert "edits.jsonl, line 2" in str(raised.value)


def test_a_line_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "edits.jsonl"
    path.write_bytes(b'{"query_id": "\xff", "edits": []}')
    with pytest.raises(UserError, match="line 1: not JSON"):
        read_edits(path)


def test_no_record_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="names no query"):
        read_edits(written(tmp_path, "", ""))
    with pytest.raises(UserError, match="cannot read edits"):
        read_edits(tmp_path / "missing.jsonl")
