"""What is staged for an upload stays as it was, at no price where links are possible."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sscd.data.descriptors import Origin
from sscd.formats.origins import origin_of
from sscd.formats.track2.hdf5_file import read_track2
from sscd.training.run.weights_and_biases.artifacts import (
    Version,
    log_artifact,
    remove_staged,
    stage_checkpoint,
    stage_descriptors,
    staging_folder,
)
from tests.evaluation.described import named, unit


def test_a_checkpoint_is_linked_and_outlives_its_successor(tmp_path: Path) -> None:
    best = tmp_path / "best.ckpt"
    best.write_text("first")
    staged = stage_checkpoint(tmp_path, best, Version(3, best=True, metadata={"step": 3}))
    assert staged.file.stat().st_ino == best.stat().st_ino, "not a copy"
    assert staged.version.aliases == ("latest", "best")
    new = tmp_path / "new"
    new.write_text("second")
    new.replace(best)  # as checkpoints are written
    assert staged.file.read_text() == "first"
    again = stage_checkpoint(tmp_path, best, Version(3, best=False, metadata={}))
    assert again.file.read_text() == "second", "a validation that is done again"
    assert again.version.aliases == ("latest",)


def test_without_links_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best = tmp_path / "best.ckpt"
    best.write_text("first")

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    staged = stage_checkpoint(tmp_path, best, Version(1, best=True, metadata={}))
    assert staged.file.read_text() == "first"
    assert staged.file.stat().st_ino != best.stat().st_ino


def test_descriptors_are_a_track_2_file(tmp_path: Path) -> None:
    queries, references = named("Q", unit(3, seed=0)), named("R", unit(5, seed=1))
    origin = Origin("0123456789abcdef", "288 square")
    version = Version(7, best=False, metadata={})
    staged = stage_descriptors(tmp_path, (queries, references), origin, version)
    read = read_track2(staged.file)
    np.testing.assert_array_equal(read.queries, queries.vectors)
    np.testing.assert_array_equal(read.references, references.vectors)
    assert origin_of(read.attributes) == origin


def test_the_files_of_an_earlier_piece_stay(tmp_path: Path) -> None:
    best = tmp_path / "best.ckpt"
    best.write_text("of all")
    version = Version(3, best=True, metadata={})
    pieces = [staging_folder(tmp_path) for _ in range(2)]
    first, second = (stage_checkpoint(folder, best, version).file for folder in pieces)
    remove_staged(pieces[1])
    assert first.read_text() == "of all", "which `wandb sync` has still to upload"
    assert not second.exists()
    remove_staged(pieces[0])
    assert not pieces[0].parent.exists()
    remove_staged(staging_folder(tmp_path))  # nothing was ever staged


def test_the_client_keeps_no_copy(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    best = tmp_path / "best.ckpt"
    best.write_text("of all")
    staged = stage_checkpoint(staging_folder(tmp_path), best, Version(3, best=True, metadata={}))
    kept: list[Any] = []
    run = SimpleNamespace(id="x", log_artifact=lambda one, aliases: kept.append((one, aliases)))
    log_artifact(run, staged)
    ((artifact, aliases),) = kept
    entry = artifact.manifest.entries["checkpoint.ckpt"]
    assert (entry.local_path, entry.skip_cache) == (str(staged.file), True)
    assert aliases == ["latest", "best"]
