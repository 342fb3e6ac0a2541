"""`sscd match`: from pictures to a list of copies, and what the threshold rests on."""

import json
from pathlib import Path

import numpy as np
import pytest

from sscd.cli import main
from sscd.formats.track1.csv_file import read_track1
from sscd.formats.track2.hdf5_file import read_track2
from tests.commands.small import draw_sets, write_checkpoint

SETS = ("queries", "references", "--workers", "0", "--checkpoint", "run/checkpoints/a.ckpt")


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw_sets(tmp_path)
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    write_checkpoint(tmp_path / "run" / "checkpoints" / "a.ckpt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(*more: str) -> Path:
    source = ("--queries", "queries", "--references", "references", "--output", "t.h5")
    checkpoint = ("--checkpoint", "run/checkpoints/a.ckpt", "--workers", "0")
    assert main(["export", *checkpoint, *source, *more]) == 0
    return Path("t.h5")


def calibrate(path: str, *more: str) -> None:
    judged = ("evaluate", "t.h5", "--ground-truth", "truth.csv", "--samples", "0")
    assert main([*judged, "--calibration", path, *more]) == 0


def test_pairs_from_the_threshold_on(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", *SETS, "--threshold", "-0.2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    track2 = read_track2(export())
    scores = -np.square(track2.queries[:, None] - track2.references[None]).sum(axis=2)
    expected = {
        (track2.query_ids[q], track2.reference_ids[r]): scores[q, r]
        for q, r in np.argwhere(scores >= -0.2).tolist()
    }
    found = read_track1(Path("matches.csv"))
    pairs = zip(found.query_ids.tolist(), found.reference_ids.tolist(), strict=True)
    named = [(q.decode(), r.decode()) for q, r in pairs]
    assert set(named) == set(expected)
    np.testing.assert_allclose(found.scores, [expected[pair] for pair in named], atol=1e-5)
    assert (np.diff(found.scores) <= 0).all()
    assert printed["matches"] == len(expected)
    assert printed["queries_matched"] == len({q for q, _ in expected})


def test_the_threshold_follows_from_the_precision(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export()
    calibrate("run/calibration.json")
    capsys.readouterr()
    assert main(["match", *SETS, "--precision", "0.9", "--json"]) == 0
    captured = capsys.readouterr()
    found = read_track1(Path("matches.csv"))
    assert json.loads(captured.out)["threshold"] == pytest.approx(found.scores.min(), abs=1e-6)
    assert "wrong pair" in captured.err  # it rests on few
    for query, reference in zip(found.query_ids, found.reference_ids, strict=True):
        assert query[1:] == reference[1:]


def test_fewer_copies_raise_the_threshold(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export()
    calibrate("c.json")
    thresholds = []
    for more in ([], ["--copies", "0.5"], ["--copies", "0.01"]):
        capsys.readouterr()
        command = ["match", *SETS, "--calibration", "c.json", "--precision", "0.3", "--json"]
        assert main([*command, *more]) == 0
        thresholds.append(json.loads(capsys.readouterr().out)["threshold"])
    assert thresholds[0] == thresholds[1] < thresholds[2]


def test_a_second_run_describes_nothing_again(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", *SETS, "--threshold", "-0.2", "--partition", "5"]) == 0
    parts = sorted(Path("matches.csv.descriptors").rglob("part-*"))
    before = [(part, part.stat().st_mtime_ns) for part in parts]
    assert len(before) == 5
    first = Path("matches.csv").read_bytes()
    assert main(["match", *SETS, "--threshold", "-9", "--partition", "5"]) == 0
    assert [(part, part.stat().st_mtime_ns) for part in parts] == before
    assert len(Path("matches.csv").read_bytes()) > len(first)


def test_descriptors_with_post_processing(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export("--training", "training", "--dims", "9", "--score-norm", "1[0,2]")
    calibrate("c.json")
    chain = ("--postprocessing", "t.h5", "--training", "training", "--calibration", "c.json")
    assert main(["match", *SETS, *chain]) == 0
    found = read_track1(Path("matches.csv"))
    track2 = read_track2(Path("t.h5"))
    scores = -np.square(track2.queries[:, None] - track2.references[None]).sum(axis=2)
    np.testing.assert_allclose(found.scores, np.sort(scores.ravel())[::-1][: len(found)], atol=1e-5)
    assert main(["match", "t.h5", "t.h5", "--calibration", "c.json", "--output", "b.csv"]) == 0
    again = read_track1(Path("b.csv"))
    np.testing.assert_allclose(again.scores, found.scores, atol=1e-5)


def test_the_limit_keeps_the_best(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", *SETS, "--threshold", "-9", "--limit", "3"]) == 0
    assert "3 matches or more" in capsys.readouterr().err
    limited = read_track1(Path("matches.csv"))
    assert main(["match", *SETS, "--threshold", "-9"]) == 0
    whole = read_track1(Path("matches.csv"))
    assert np.array_equal(limited.scores, whole.scores[:3])


def test_nothing_matches(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", *SETS, "--threshold", "0"]) == 0
    assert Path("matches.csv").read_text() == "query_id,reference_id,score\n"
    assert "0 matches" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (SETS, "no threshold: the network carries none; give --threshold"),
        ((*SETS, "--calibration", "none.json"), "none.json"),
        ((*SETS, "--threshold", "nan"), "threshold"),
        ((*SETS, "--threshold", "0.5"), "squared distances, at most 0; the cosine 0.5 is -1"),
        ((*SETS, "--threshold", "7"), "--threshold 7: scores are minus squared distances, at most"),
        ((*SETS, "--precision", "1.0"), "--precision 1.0"),
        ((*SETS, "--threshold", "0", "--limit", "0"), "--limit 0"),
        ((*SETS, "--threshold", "0", "--postprocessing", "x.h5"), "x.h5.postprocessing.npz"),
        ((*SETS, "--threshold", "0", "--training", "training"), "leave it out"),
        (("queries", "references", "--threshold", "0"), "give --checkpoint"),
        (("nothing", *SETS[1:], "--threshold", "0"), "nothing"),
        (("queries",), "references"),
    ],
)
def test_refuses_in_one_line(
    sets: Path,
    no_box: None,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    assert main(["match", *arguments]) == 2
    captured = capsys.readouterr()
    assert expected in captured.err.strip().splitlines()[-1]
    assert not Path("matches.csv").exists()


def test_a_calibration_of_another_model_is_refused(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export()
    calibrate("c.json")
    write_checkpoint(sets / "run" / "checkpoints" / "a.ckpt", seed=1)
    assert main(["match", *SETS, "--calibration", "c.json"]) == 2
    assert "the calibration and the descriptors differ in model" in capsys.readouterr().err


def test_a_carried_threshold_is_for_its_own_descriptors(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export()
    calibrate("c.json")
    package = ("export", "--model-only", "--calibration", "c.json", "--output", "a.safetensors")
    assert main([*package, "--checkpoint", "run/checkpoints/a.ckpt"]) == 0
    given = ("--workers", "0", "--checkpoint", "a.safetensors")
    assert main(["match", "queries", "references", *given]) == 0
    carried = Path("matches.csv").read_text()
    assert main(["match", "t.h5", "t.h5", *given]) == 0
    assert Path("matches.csv").read_text() == carried
    capsys.readouterr()
    assert main(["match", "queries", "references", *given, "--size", "48"]) == 2
    assert "32 square, and the descriptors are of 48 square" in capsys.readouterr().err
    export("--size", "48")  # described already, and otherwise
    assert main(["match", "t.h5", "t.h5", *given]) == 2
    assert "32 square, and the descriptors are of 48 square" in capsys.readouterr().err
    export("--training", "training", "--dims", "8")
    assert main(["match", "t.h5", "t.h5", *given]) == 2
    assert "postprocessing none, and the descriptors are of" in capsys.readouterr().err
    assert Path("matches.csv").read_text() == carried
