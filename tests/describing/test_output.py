import os
from pathlib import Path

import numpy as np
import pytest

from sscd.data.pictures.sources import PictureSource
from sscd.describing.failures import Failure, decode_failures, encode_failures
from sscd.describing.output import Output
from sscd.errors import UserError
from sscd.formats.parquet.files import open_parquet
from tests.describing.sets import files, output_of, photos, request_of

VECTORS = np.arange(32, dtype=np.float32).reshape(4, 8)


@pytest.fixture
def source(tmp_path: Path) -> PictureSource:
    return photos(tmp_path / "photos")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def write(output: Output, number: int, *, failures: int = 0) -> None:
    span = output.request.span(number)
    ids = [f"{place:02d}" for place in span]
    read = len(span) - failures
    lost = [Failure(item, f"photos/{item}.png", "truncated") for item in ids[read:]]
    output.write_part(number, ids[:read], VECTORS[:read], lost)


def test_from_nothing_to_the_end(source: PictureSource, out: Path) -> None:
    output = output_of(source, out)
    output.claim()
    assert output.missing() == [0, 1, 2]
    write(output, 1, failures=1)
    assert output.missing() == [0, 2]
    assert (output.has(1), output.has(0)) == (True, False)
    for number in (0, 2):
        write(output, number)
    left = out / ".part-00000-of-00003.parquet.xyz.part"
    left.write_text("of a killed process")
    os.utime(left, (0, 0))
    described = output.finish(made=3)
    assert described.failures == (Failure("07", "photos/07.png", "truncated"),)
    assert described.described == 9
    assert described.summary == (
        f"1 picture could not be read: photos/07.png (truncated); all in {out}/unreadable.tsv"
    )
    assert sorted(files(out)) == [
        "describe.json",
        "part-00000-of-00003.parquet",
        "part-00001-of-00003.parquet",
        "part-00001-of-00003.unreadable.tsv",
        "part-00002-of-00003.parquet",
        "unreadable.tsv",
    ]
    assert (out / "unreadable.tsv").read_text() == "07\tphotos/07.png\ttruncated\n"
    assert open_parquet(out).ids == [f"{place:02d}" for place in range(10) if place != 7]


def test_finishing_again_changes_nothing(source: PictureSource, out: Path) -> None:
    output = output_of(source, out)
    output.claim()
    for number in range(3):
        write(output, number, failures=1)
    first = output.finish(made=3)
    before = files(out)
    output.claim()
    again = output.finish(made=0)
    assert (again.failures, again.made) == (first.failures, 0)
    assert [failure.id for failure in again.failures] == ["03", "07", "09"]
    assert files(out) == before


def test_a_part_that_is_made_again_is_readable_now(source: PictureSource, out: Path) -> None:
    output = output_of(source, out)
    output.claim()
    for number in range(3):
        write(output, number, failures=int(number == 0))
    output.finish(made=3)
    write(output, 0)
    described = output.finish(made=1)
    assert (described.failures, described.summary) == ((), "")
    assert not list(out.glob("*.tsv"))


def test_nothing_readable_is_an_error(source: PictureSource, out: Path) -> None:
    output = output_of(source, out, partition=2)
    output.claim()
    for number in range(5):
        write(output, number, failures=2)
    with pytest.raises(UserError, match=r"nothing of .*photos was described: 10 pictures could"):
        output.finish(made=5)


def test_another_request_is_refused(source: PictureSource, out: Path) -> None:
    output_of(source, out).claim()
    before = files(out)
    output_of(source, out).claim()
    with pytest.raises(UserError, match=r"with another request \(--partition was 4 and is 5\)"):
        output_of(source, out, partition=5).claim()
    with pytest.raises(UserError, match="the model was"):
        Output(str(out), request_of(source, seed=1)).claim()
    assert files(out) == before


def test_a_directory_of_others_is_refused(source: PictureSource, out: Path) -> None:
    out.mkdir()
    (out / ".hidden").write_text("x")
    (out / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match=r"out holds thesis\.tex \(1 entries\) and no describe"):
        output_of(source, out).claim()
    (out / "describe.json").write_text("{")
    with pytest.raises(UserError, match=r"describe\.json is damaged"):
        output_of(source, out).claim()
    (out / "describe.json").write_text("[1]")
    with pytest.raises(UserError, match=r"describe\.json is damaged"):
        output_of(source, out).claim()


def test_failures_stay_on_their_line() -> None:
    hostile = (Failure("a", "x\ty\nz\udce9", "why\r"), Failure("b", "", ""))
    lines = encode_failures(hostile)
    assert lines.count(b"\n") == 2
    first, second = decode_failures(lines + lines[:0])
    assert first == Failure("a", "x\\ty\\nz\\udce9", "why\\r")
    assert second == Failure("b", "", "")
    assert decode_failures(b"only an id\n") == (Failure("only an id", "", ""),)
