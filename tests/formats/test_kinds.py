from pathlib import Path

import h5py
import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.kinds import kind_of


def hdf5(path: Path, *names: str, block: int = 0) -> Path:
    with h5py.File(path, "w", userblock_size=block) as handle:
        for name in names:
            handle[name] = np.ones((600, 2), "f4")
    return path


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    assert kind_of(hdf5(tmp_path / "a.csv", "query", "query_ids")) == "track2"
    assert kind_of(hdf5(tmp_path / "b", "reference")) == "track2"
    assert kind_of(hdf5(tmp_path / "c.h5", "vectors", block=512)) == "vectors"
    (tmp_path / "d.h5").write_text("query_id,reference_id,score\n")
    assert kind_of(tmp_path / "d.h5") == "track1"
    (tmp_path / "e").write_bytes(b"PAR1" + bytes(50) + b"PAR1")
    assert kind_of(tmp_path / "e") == "parquet"
    parts = tmp_path / "parts"
    parts.mkdir()
    (tmp_path / "e").rename(parts / "part-0")
    assert kind_of(parts) == "parquet"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PAR1", "truncated Parquet"),
        (b"PAR1" + bytes(50), "truncated Parquet"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "not a readable HDF5"),
        (b"Q1\nQ2,R2,1\n", "neither descriptors"),
        (bytes(100) + b",", "neither descriptors"),
        (b"\xff\xd8\xff\xe0,\0", "neither descriptors"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        kind_of(tmp_path / "f")
    assert str(tmp_path / "f") in str(caught.value)


def test_hdf5_of_other_content_and_truncated(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"other\.h5: holds images; expected the datasets"):
        kind_of(hdf5(tmp_path / "other.h5", "images"))
    with pytest.raises(UserError, match="holds nothing"):
        kind_of(hdf5(tmp_path / "empty.h5"))
    whole = hdf5(tmp_path / "whole.h5", "query").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"cut\.h5: .*\(truncated: .* bytes are there"):
        kind_of(tmp_path / "cut.h5")


def test_places_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        kind_of(tmp_path / "absent")
    (tmp_path / ".hidden").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="a directory without Parquet"):
        kind_of(tmp_path)
