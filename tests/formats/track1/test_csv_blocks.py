from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.formats.track1.csv_blocks import line_blocks


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7, 64])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n\n"])
@pytest.mark.parametrize("feed", [b"\n", b"\r\n"])
def test_lines_come_whole_with_their_numbers(
    tmp_path: Path, chunk: int, end: bytes, feed: bytes
) -> None:
    lines = [b"first", b"", b"third,x", b"", b"", b"sixth"]
    content = feed.join(lines) + end.replace(b"\n", feed)
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbf" + content)
    number, got = 1, []
    blocks = list(line_blocks(tmp_path / "f", chunk=chunk))
    for block in blocks:
        assert block.first == number
        assert block.text.endswith(b"\n")
        got += block.text.split(b"\n")[:-1]
        number += block.text.count(b"\n")
    assert got == lines
    assert [block.cut for block in blocks] == [*[False] * (len(blocks) - 1), end == b""]


def test_nothing_but_blank_lines_is_nothing(tmp_path: Path) -> None:
    for content in (b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf\n"):
        (tmp_path / "f").write_bytes(content)
        assert list(line_blocks(tmp_path / "f")) == []


def test_what_is_no_text_file(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 200_000)
    with pytest.raises(UserError, match=r"long, line 1: .* without a line of text"):
        list(line_blocks(tmp_path / "long", chunk=1000))
    (tmp_path / "blank").write_bytes(b"a\n" + b"\n" * 200_000)
    with pytest.raises(UserError, match=r"blank, line 2: .* without a line of text"):
        list(line_blocks(tmp_path / "blank", chunk=1000))
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError, match="cannot read"):
            list(line_blocks(place))
