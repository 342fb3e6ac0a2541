"""Lines of predictions as people and other tools write them, and lines that are wrong."""

from pathlib import Path

import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.problems import Problem
from sscd.formats.track1 import csv_blocks
from sscd.formats.track1 import lines as track1_lines
from sscd.formats.track1.csv_file import read_track1
from sscd.formats.track1.lines import HEADER, scored_rows

PLAIN = b"Q1,R1,0.5\nQ2,R10,-1e-3\n"


def read(path: Path, content: bytes) -> list[tuple[bytes, bytes, float]]:
    path.write_bytes(content)
    got = read_track1(path)
    columns = (got.query_ids, got.reference_ids, got.scores)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.removesuffix(b"\n"),
        HEADER.encode() + b"\n" + PLAIN,
        b"Query_ID, reference_id ,score\r\n" + PLAIN.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + HEADER.encode() + b"\n" + PLAIN + b"\n\r\n",
        b'"query_id","reference_id","score"\n"Q1","R1",0.5\n"Q2","R10","-1e-3"\n',
        b'"Q1","R1",0.5\n"Q2",R10,"-1e-3"',
        b"Q1, R1 ,0.5 \nQ2,\tR10,-0.001",
        b"Q1,R1,+.5\nQ2,R10,-1E-3\n",
    ],
)
def test_forms_that_are_read_alike(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path / "p.csv", content) == [(b"Q1", b"R1", 0.5), (b"Q2", b"R10", -0.001)]


GOOD = b"Q0,R0,1\nQ1,R1,1\n"
WRONG = [
    ("two fields", b"Q1,R1", "got 2 fields; expected query_id,reference_id,score"),
    ("four fields", b"Q1,R1,0.5,7", "got 4 fields"),
    ("blank", b"\nQ5,R5,1", "got 0 fields"),
    ("no query", b",R1,0.5", "query_id is ''"),
    ("no reference", b"Q1, ,0.5", "reference_id is ''"),
    ("word", b"Q1,R2,high", "score 'high' is no finite number"),
    ("no score", b"Q1,R2,", "score '' is no finite number"),
    ("nan", b"Q1,R2,nan", "score 'nan'"),
    ("inf", b"Q1,R2,-inf", "score '-inf'"),
    ("overflow", b"Q1,R2,1e999", "score '1e999'"),
    ("underscore", b"Q1,R2,1_000", "score '1_000'"),
    ("comma", b'Q1,R2,"0,5"', "score '0,5'"),
    ("other digits", "Q1,R2,١".encode(), "score '١'"),
    ("latin", b"Q\xe9,R2,1", "not UTF-8"),
    ("utf-16", "Q1,R2,1".encode("utf-16"), "not UTF-8"),
    ("accent", "Qé,R2,1".encode(), "query_id is 'Qé'"),
    ("zero byte", b"Q\0,R2,1", "query_id is 'Q\\x00'"),
    ("bell", b"Q1,R\x07,1", "reference_id is"),
    ("quote", b'Q1,R"2,1', "reference_id is"),
    ("open quote", b'Q1,"R2,1', "write query_id"),
    ("a quote alone", b'",R2,1', "write query_id"),
    ("no query in quotes", b'"",R2,1', "query_id is ''"),
    ("one quote at each end of two", b'Q1",R2,"1', "write query_id"),
    ("quoted quote", b'"Q""1",R2,1', "query_id is 'Q\"1'"),
    ("comma inside", b'Q1,"R,2",1', "reference_id is 'R,2'"),
    ("long", b"Q" * 2000 + b",R2,1", "2,000 bytes"),
    ("header again", b"query_id,reference_id,score", "score 'score'"),
]


@pytest.mark.parametrize(("line", "words"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_line_is_named(tmp_path: Path, line: bytes, words: str) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(GOOD + line + b"\nQ9,R9,1\n")
    with pytest.raises(UserError) as caught:
        read_track1(path)
    assert str(caught.value).startswith(f"{path}, line 3")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    # The lines around it are as they were.
    found = list(scored_rows(path))
    numbers = [n for rows in found if not isinstance(rows, Problem) for n in rows.lines.tolist()]
    expected = [1, 2, 4, 5] if line.startswith(b"\n") else [1, 2, 4]
    assert numbers == expected


def test_a_line_that_the_file_ends_in(tmp_path: Path) -> None:
    for cut in (b"Q2,R", b"Q2,R2,", b"Q2,R2,1e-", b"Q"):
        with pytest.raises(UserError, match=r"line 3.*; the file ends amid this line"):
            read(tmp_path / "p.csv", GOOD + cut)
    with pytest.raises(UserError) as caught:
        read(tmp_path / "p.csv", GOOD + b"Q2,R\n")
    assert "ends amid" not in str(caught.value)


def test_empty_files(tmp_path: Path) -> None:
    for content in (b"", b"\n\n"):
        with pytest.raises(UserError, match=r"p.csv: is empty"):
            read(tmp_path / "p.csv", content)


def test_blocks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    lines = [b"Q%d,R%d,%r" % (i % 7, i, float(x)) for i, x in enumerate(rng.random(500))]
    lines[250] = b'"Q%d",R250,0.25' % (250 % 7)  # a line that needs a closer look
    (tmp_path / "p.csv").write_bytes(b"\n".join([HEADER.encode(), *lines]))
    whole = read_track1(tmp_path / "p.csv")
    original = csv_blocks.line_blocks
    monkeypatch.setattr(
        "sscd.formats.track1.lines.line_blocks", lambda path: original(path, chunk=100)
    )
    pieces = read_track1(tmp_path / "p.csv")
    assert pieces.query_ids.tolist() == whole.query_ids.tolist()
    assert pieces.reference_ids.tolist() == [b"R%d" % i for i in range(500)]
    assert np.array_equal(pieces.scores, whole.scores)
    blocks = [r for r in scored_rows(tmp_path / "p.csv") if not isinstance(r, Problem)]
    assert len(blocks) > 50
    assert [n for rows in blocks for n in rows.lines.tolist()] == list(range(2, 502))


def test_whole_blocks_are_read_as_line_by_line() -> None:
    rng = np.random.default_rng(0)
    pieces = [*b'Q1,",\n', *[ord(",")] * 2, *b"._ e-\t"]
    plain = 0
    for _ in range(4000):
        lines = [bytes(rng.choice(pieces, size=rng.integers(1, 9))) for _ in range(2)]
        if rng.random() < 0.7:
            lines = [b'"Q%d",R,%d' % (i, i) if rng.random() < 0.5 else b"Q,R,1" for i in range(2)]
            place = rng.integers(len(lines[0]))
            lines[0] = lines[0][:place] + bytes([rng.choice(pieces)]) + lines[0][place + 1 :]
        block = csv_blocks.LineBlock(7, b"\n".join(lines) + b"\n")
        rows = track1_lines._plain_rows(block)
        if rows is None:
            continue
        plain += 1
        (twin,) = track1_lines._careful_rows(Path("x"), block)
        assert not isinstance(twin, Problem), block.text
        for name in ("query_ids", "reference_ids", "scores", "lines"):
            assert getattr(rows, name).tolist() == getattr(twin, name).tolist(), block.text
    assert plain > 500
