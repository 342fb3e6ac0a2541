"""A run directory is one run of W&B, however often its training is resumed."""

from pathlib import Path

import pytest

from sscd.training.run.weights_and_biases.identity import FILE, run_id


def test_it_is_kept(tmp_path: Path) -> None:
    made = run_id(tmp_path)
    assert made.isalnum()
    assert run_id(tmp_path) == made
    assert run_id(tmp_path / "another") != made


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 3}', '{"id": "../x"}', '{"id": ""}'])
def test_a_file_of_no_use_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.parent.mkdir()
    path.write_text(text)
    made = run_id(tmp_path)
    assert made.isalnum()
    assert run_id(tmp_path) == made


def test_a_directory_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wandb").write_text("a file in its place")
    assert run_id(tmp_path).isalnum()
    assert "another run in Weights & Biases" in capsys.readouterr().err
