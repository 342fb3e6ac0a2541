from pathlib import Path

import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.postprocessing_file import read_postprocessing, write_postprocessing

SETTINGS = {"projection": "whiten", "score_norm": "1[0,2]"}
ARRAYS = {"mean": np.arange(3, dtype=np.float32), "matrix": np.eye(3, dtype=np.float32)}


def test_round_trip_by_either_name(tmp_path: Path) -> None:
    written = write_postprocessing(tmp_path / "a.h5", SETTINGS, ARRAYS)
    assert written.name == "a.h5.postprocessing.npz"
    for path in (tmp_path / "a.h5", written):
        settings, arrays = read_postprocessing(path)
        assert settings == SETTINGS
        assert sorted(arrays) == ["matrix", "mean"]
        assert np.array_equal(arrays["mean"], ARRAYS["mean"])


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.h5\.postprocessing\.npz: no such file"):
        read_postprocessing(tmp_path / "a.h5")


@pytest.mark.parametrize("kept", [0, 1, 100, -1, -200])
def test_truncated_and_damaged(tmp_path: Path, kept: int) -> None:
    written = write_postprocessing(tmp_path / "a.h5", SETTINGS, ARRAYS)
    written.write_bytes(written.read_bytes()[:kept])
    with pytest.raises(UserError, match="is damaged") as caught:
        read_postprocessing(written)
    assert "\n" not in str(caught.value)


def test_code_is_not_executed_and_other_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5.postprocessing.npz"
    np.savez(path, settings=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="is damaged"):
        read_postprocessing(path)
    for settings in (np.array("[1]"), np.array("{"), np.zeros(3)):
        np.savez(path, settings=settings)
        with pytest.raises(UserError, match="is damaged"):
            read_postprocessing(path)
    np.savez(path, mean=np.zeros(3))
    with pytest.raises(UserError, match="is damaged"):
        read_postprocessing(path)
