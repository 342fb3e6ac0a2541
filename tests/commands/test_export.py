"""`sscd export`: sources, post-processing, records, parts, and what is refused."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from sscd.cli import main
from sscd.formats.run_record import read_record
from sscd.formats.track2.hdf5_file import read_track2
from sscd.search.knn import nearest
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.projection import Projection
from sscd.search.postprocessing.score_norm import normalised_scores
from tests.commands.small import draw_sets, write_checkpoint


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw_sets(tmp_path)
    write_checkpoint(tmp_path / "a.ckpt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(*more: str) -> int:
    return main(
        [
            *("export", "--checkpoint", "a.ckpt", "--queries", "queries"),
            *("--references", "references", "--output", "out/t.h5", "--workers", "0", *more),
        ]
    )


def test_the_file_its_record_and_no_parts(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["queries"], printed["references"], printed["dims"]) == (8, 12, 16)
    out = sets / "out"
    assert sorted(path.name for path in out.iterdir()) == ["t.h5", "t.h5.json"]
    with h5py.File(out / "t.h5") as file:
        assert sorted(file) == ["query", "query_ids", "reference", "reference_ids"]
        attributes = dict(file.attrs)
    record = read_record(out / "t.h5.json")
    assert record == read_record(out / "t.h5")
    assert record.model.backbone == "resnet18"
    assert record.model.fingerprint == attributes["model_fingerprint"]
    assert record.recipe == {"views": {"name": "advanced"}}
    assert record.preprocessing == "32 square"
    assert record.postprocessing == ()
    assert record.seconds_a_picture is not None
    assert record.seconds_a_picture > 0
    assert record.peak_cpu_bytes is None or record.peak_cpu_bytes > 0


def test_score_normalisation_rides_in_plain_l2(sets: Path) -> None:
    assert export("--output", "plain.h5") == 0
    assert (
        main(["describe", "training", "training.parts", "--checkpoint", "a.ckpt", "--workers", "0"])
        == 0
    )
    assert export("--training", "training.parts", "--score-norm", "1.5[0,2]", "--dims", "9") == 0
    plain, normed = read_track2(sets / "plain.h5"), read_track2(sets / "out" / "t.h5")
    assert normed.queries.shape[1] == 9
    from sscd.formats.parquet.files import open_parquet

    learnt = np.asarray(open_parquet(sets / "training.parts").vectors[0:24])
    white = Projection.fit(learnt, kind="whiten", dims=8)
    training = white.apply(learnt).astype(np.float64)
    q, r = (white.apply(x).astype(np.float64) for x in (plain.queries, plain.references))
    bias = -np.sort(-(q @ training.T), axis=1)[:, :3].mean(axis=1)
    expected = q @ r.T - 1.5 * bias[:, None]
    found = nearest(normed.queries, normed.references, k=12)
    got = normalised_scores(found.scores, Neighbourhood(1.5, 0, 2))
    np.testing.assert_allclose(got, np.take_along_axis(expected, found.indices, axis=1), atol=2e-5)
    assert read_record(sets / "out" / "t.h5").postprocessing == (
        "whiten to 8 dimensions",
        "score normalisation 1.5[0,2] inside L2",
    )


def test_what_was_learnt_is_applied_to_others_alike(sets: Path) -> None:
    chain = ("--score-norm", "1[0,2]", "--stretch", "0.3[0,4]", "--projection", "pca")
    assert export("--training", "training", *chain) == 0
    whole = read_track2(sets / "out" / "t.h5")
    more = ("--postprocessing", "out/t.h5", "--training", "training", "--output", "again.h5")
    assert export(*more) == 0
    again = read_track2(sets / "again.h5")
    np.testing.assert_allclose(again.queries, whole.queries, atol=1e-6)
    key = "postprocessing_fingerprint"
    assert again.attributes[key] == whole.attributes[key]


def test_a_256_d_network_gives_one_dimension_to_score_normalisation(sets: Path) -> None:
    write_checkpoint(sets / "a.ckpt", dims=256)
    (sets / "many").mkdir()
    rng = np.random.default_rng(0)
    from PIL import Image

    for index in range(260):
        values = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(values).save(sets / "many" / f"{index}.png")
    assert export("--training", "many", "--score-norm", "1[0,2]") == 0
    written = read_track2(sets / "out" / "t.h5")
    assert written.queries.shape[1] == 256
    np.testing.assert_allclose(np.linalg.norm(written.references, axis=1), 1, atol=1e-5)
    assert (written.references[:, 255] == 0).all()
    assert (written.queries[:, 255] > 0).all()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--score-norm", "1[0,2]"), "give --training"),
        (("--score-norm", "1.0"), "--score_norm 1.0"),
        (("--dims", "8"), "needs --training"),
        (("--training", "training", "--dims", "17"), "--dims 17 is out of range"),
        (("--training", "training", "--dims", "0"), "--dims 0"),
        (("--training", "queries"), "needs 17 training pictures"),
        (("--training", "training", "--score-norm", "1[24]"), "needs 25 training descriptors"),
        (("--postprocessing", "none.h5"), "none.h5.postprocessing.npz: no such file"),
        (("--queries", "nothing"), "nothing"),
        (("--checkpoint", "none.ckpt"), "none.ckpt does not exist"),
        (("--batch-size", "0"), "--batch_size 0"),
        (("--output", "queries"), "is a directory"),
    ],
)
def test_refuses_in_one_line(
    sets: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], expected: str
) -> None:
    assert export(*more) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("sscd: error: ")
    assert expected in last
    assert not (sets / "out" / "t.h5").exists()


def test_a_score_norm_without_room_is_refused_before_work(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(sets / "a.ckpt", dims=256)
    more = ("--training", "training", "--projection", "none", "--score-norm", "1[0,2]")
    assert export(*more) == 2
    err = capsys.readouterr().err
    assert "score normalisation takes one of them" in err
    assert "describing" not in err


def test_descriptors_of_another_model_are_refused(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(sets / "b.ckpt", seed=1)
    assert main(["describe", "queries", "other", "--checkpoint", "b.ckpt", "--workers", "0"]) == 0
    assert export("--queries", "other") == 2
    assert "differ in model" in capsys.readouterr().err


def test_ranks_share_the_work_and_the_first_writes(
    sets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert export("--output", "whole.h5") == 0
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("1", "0"):  # in this order one process can play both
        monkeypatch.setenv("RANK", rank)
        assert not (sets / "out" / "t.h5").exists()
        assert export("--partition", "3") == 0
    whole, shared = read_track2(sets / "whole.h5"), read_track2(sets / "out" / "t.h5")
    assert list(shared.reference_ids) == list(whole.reference_ids)
    np.testing.assert_allclose(shared.references, whole.references, atol=1e-6)
    np.testing.assert_allclose(shared.queries, whole.queries, atol=1e-6)


def test_post_processing_of_another_model_is_refused(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export("--training", "training", "--dims", "8", "--output", "first.h5") == 0
    write_checkpoint(sets / "a.ckpt", seed=1)
    assert export("--postprocessing", "first.h5") == 2
    assert "the post-processing and the query descriptors differ in model" in (
        capsys.readouterr().err
    )


def test_descriptors_of_another_model_than_the_checkpoint_are_refused(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(sets / "b.ckpt", seed=1)
    for name in ("queries", "references"):
        describe = ("describe", name, f"{name}.parts", "--checkpoint", "b.ckpt")
        assert main([*describe, "--workers", "0"]) == 0
    described = ("--queries", "queries.parts", "--references", "references.parts")
    assert export(*described) == 2
    assert "the checkpoint and the queries differ in model" in capsys.readouterr().err
    assert export(*described, "--checkpoint", "b.ckpt") == 0
    assert read_record(sets / "out" / "t.h5").seconds_a_picture is None
