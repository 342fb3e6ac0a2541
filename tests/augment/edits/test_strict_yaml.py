from pathlib import Path

import pytest

from sscd.augment.edits.strict_yaml import load_mapping
from sscd.errors import UserError


def test_a_mapping_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: {1: 0.5}\nb: &x [1, 2]\nc: *x\n", encoding="utf-8")
    assert load_mapping(path) == {"a": {1: 0.5}, "b": [1, 2], "c": [1, 2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no settings"),
        (b"- a\n- b\n", "holds no settings"),
        (b"just text", "holds no settings"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "is not text"),
        (b"a: \x00", "mend the YAML"),
        (b"a: 1\nb: [1, 2\nc: 3\n", "line 3: .*mend the YAML"),
        (b"a: 1\n\tb: 2\n", "line 2: .*mend the YAML"),
        (b"a: !!python/object/apply:os.system [true]\n", "line 1: could not determine a constr"),
        (b"a: {x: 1,\n  x: 2}\n", "line 2: 'x' is there twice; keep one"),
        (b"a: 1\nb: 2\na: 3\n", "line 3: 'a' is there twice"),
        (b"a: 2021-99-99\n", "holds what no setting can be"),
        (b"a: " + b"9" * 5000, "holds what no setting can be"),
        (b"a: " + b"[" * 5000, "holds what no setting can be"),
        (b"? [1, 2]\n: 3\n? {}\n: 4\n", "unhashable"),
        (b"a: *nowhere\n", "line 1: .*undefined alias"),
    ],
    ids=range(15),
)
def test_what_is_wrong_with_the_file_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        load_mapping(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_of_aliases_is_read_in_no_time(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    path = tmp_path / "a.yaml"
    path.write_text("\n".join(lines))
    assert len(load_mapping(path)) == 30


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_mapping(tmp_path / "none.yaml")
