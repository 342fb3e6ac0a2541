"""A teacher beside the network: its similarities are learnt, and it is no part of a checkpoint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from sscd.data.loading.view_batch import ViewBatch
from sscd.errors import UserError
from sscd.losses.distillation import relational_loss
from sscd.models.checkpoint import read_checkpoint, recipe_in
from sscd.models.loading import load_network
from sscd.training.cli import TrainCLI
from sscd.training.module import CopyDetector
from sscd.training.steps.teacher import Teacher, TeacherConfig
from tests.commands.resuming import assert_same_runs, rows_of
from tests.commands.small import write_checkpoint
from tests.training.test_start import TINY


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("micro_batch", [None, 2])
def test_it_compares_what_both_make_of_the_views(tmp_path: Path, micro_batch: int | None) -> None:
    path = write_checkpoint(tmp_path / "teacher.ckpt", dims=24, seed=3)
    generator = torch.Generator().manual_seed(0)
    views = torch.randint(0, 256, (3, 2, 3, 32, 32), dtype=torch.uint8, generator=generator)
    batch = ViewBatch(views, torch.zeros(3, 2, 1, dtype=torch.int64), ())
    own = functional.normalize(torch.randn(6, 8, generator=generator), dim=1).requires_grad_()
    teacher = Teacher(TeacherConfig(str(path), weight=0.5, temperature=0.1))
    taught = teacher.teach(own, batch, micro_batch=micro_batch)
    with torch.no_grad():
        given = load_network(path).network(views.flatten(0, 1))
    expected = 0.5 * relational_loss(own, own, given, given, temperature=0.1).mean()
    torch.testing.assert_close(taught.loss, expected)
    assert float(taught.total) == pytest.approx(float(expected.detach()))
    assert taught.loss.requires_grad
    assert not taught.total.requires_grad
    network = teacher.load()
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_file_that_is_missing_is_named() -> None:
    with pytest.raises(UserError, match=r"nothing\.ckpt"):
        Teacher(TeacherConfig("nothing.ckpt")).load()
    with pytest.raises(UserError, match=r"model\.teacher\.path is missing"):
        Teacher(TeacherConfig()).load()


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"weight": 0.0}, "teacher.weight got 0"),
        ({"temperature": -1.0}, "teacher.temperature got -1"),
        ({"temperature": float("nan")}, "teacher.temperature got nan"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        TeacherConfig("teacher.ckpt", **values)


@pytest.mark.slow
def test_a_taught_training_is_resumed_bit_for_bit_and_keeps_no_teacher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_checkpoint(tmp_path / "teacher.ckpt", dims=24, seed=3)
    line = [
        *TINY,
        *("--model.teacher.path", str(path), "--model.teacher.weight", "0.5"),
        *("--trainer.log_every_n_steps", "1", "--trainer.max_epochs", "2", "--save_every", "1"),
    ]
    whole = TrainCLI(line, default_run=Path("whole"))
    step = CopyDetector.training_step

    def fail_at_the_last(self: CopyDetector, batch: Any, batch_idx: int) -> Any:
        if self.trainer.global_step == 3:
            raise InterruptedError
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patched:
        patched.setattr(CopyDetector, "training_step", fail_at_the_last)
        with pytest.raises(InterruptedError):
            TrainCLI(line, default_run=Path("cut"))
    TrainCLI([*line, "--run_dir", "cut", "--ckpt_path", "last"], default_run=Path("cut"))
    assert_same_runs(Path("cut"), Path("whole"))
    rows = [row for row in rows_of(Path("whole")) if row["train/loss"]]
    for row in rows:
        parts = ("train/info_nce", "train/distillation")
        loss = sum(float(row[part]) for part in parts)
        loss += float(row["train/entropy_weight"]) * float(row["train/entropy"])
        assert float(row["train/loss"]) == pytest.approx(loss, rel=1e-4)
        assert float(row["train/distillation"]) > 0
    content = read_checkpoint(whole.run.last)
    assert not [key for key in content["state_dict"] if "teacher" in key]
    assert recipe_in(content)["teacher"]["weight"] == 0.5
