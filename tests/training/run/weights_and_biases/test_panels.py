"""What a validation hands to W&B: its settings, its panels, and artifacts as they are asked for."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sscd.data.descriptors import Descriptors
from sscd.errors import Stopped
from sscd.training.run.run_directory import RunDirectory
from sscd.training.run.weights_and_biases.artifacts import STAGED
from sscd.training.run.weights_and_biases.log import WandbLog
from sscd.training.run.weights_and_biases.panels import WandbPanels
from sscd.training.run.weights_and_biases.settings import Artifacts, WandbConfig
from tests.evaluation.described import named, unit
from tests.report.weights_and_biases.judged import small_judged

SETTINGS = "model:\n  network:\n    dims: 8\n"


class Notes(WandbLog):
    """Keeps what it is asked to do."""

    def __init__(self, run_dir: Path, config: WandbConfig) -> None:
        super().__init__(run_dir, config, mode="offline")
        self.config_sent: dict[str, Any] = {}
        self.tasks: list[bool] = []

    def do(self, task: Callable[[Any], None], *, asks_server: bool = False) -> None:
        self.tasks.append(asks_server)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        self.config_sent |= params


def described() -> tuple[Descriptors, Descriptors]:
    return named("Q", unit(4, seed=0)), named("R", unit(5, seed=1))


def a_training(folder: Path, artifacts: Artifacts) -> tuple[Notes, WandbPanels, Any, Any]:
    run = RunDirectory(folder)
    run.checkpoints.mkdir()
    run.best.write_text("best")
    run.last.write_text("last")
    log = Notes(folder, WandbConfig(artifacts=artifacts, pictures=0))
    loops = SimpleNamespace(epoch_loop=SimpleNamespace(_batches_that_stepped=5))
    data = SimpleNamespace(
        training_data=lambda: {"name": "a set", "pictures": 3},
        collection=SimpleNamespace(queries=None, references=None),
    )
    trainer = SimpleNamespace(
        loggers=[log], datamodule=data, global_step=6, current_epoch=1, fit_loop=loops
    )
    network = SimpleNamespace(config=SimpleNamespace(dims=256))
    detector = SimpleNamespace(keeps_descriptors=False, described=described(), network=network)
    return log, WandbPanels(log, run, settings=SETTINGS), trainer, detector


@pytest.mark.parametrize(
    ("artifacts", "best", "staged"),
    [
        ("all", True, "best"),
        ("all", False, "last"),
        ("best", True, "best"),
        ("best", False, None),
        ("none", True, None),
    ],
)
def test_artifacts_are_those_asked_for(
    tmp_path: Path, artifacts: Artifacts, best: bool, staged: str | None
) -> None:
    log, panels, trainer, detector = a_training(tmp_path, artifacts)
    panels.begin(trainer, detector)
    assert detector.keeps_descriptors == (artifacts != "none")
    panels.validated(trainer, detector, small_judged(), best=best)
    assert detector.described is None, "a gigabyte of them is not kept"
    assert log.staging.parent == tmp_path / STAGED
    place = log.staging / "step-00000006"
    if staged is None:
        assert not place.exists()
    else:
        assert (place / "checkpoint.ckpt").read_text() == staged
        assert (place / "track2.h5").is_file()
    assert sum(log.tasks) == (1 if staged is None else 3), "panels, and each artifact"


def test_the_configuration_says_what_is_trained_and_judged(tmp_path: Path) -> None:
    log, panels, trainer, detector = a_training(tmp_path, "none")
    panels.begin(trainer, detector)
    panels.validated(trainer, detector, small_judged(), best=True)
    sent = log.config_sent
    assert sent["model"] == {"network": {"dims": 8}}
    assert sent["training_data"] == {"name": "a set", "pictures": 3}
    assert sent["run_dir"] == str(tmp_path)
    assert sent["validation"]["protocol"] == "10 neighbours a query"
    assert sent["validation"]["true_pairs"] == 12


def test_a_trial_without_loggers_sends_nothing(tmp_path: Path) -> None:
    log, panels, trainer, detector = a_training(tmp_path, "all")
    trainer.loggers = []
    panels.begin(trainer, detector)
    panels.validated(trainer, detector, small_judged(), best=True)
    assert (log.tasks, log.config_sent) == ([], {})


def test_an_artifact_that_cannot_be_staged_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, panels, trainer, detector = a_training(tmp_path, "all")
    (tmp_path / "wandb").write_text("a file in its place")
    panels.validated(trainer, detector, small_judged(), best=True)
    assert sum(log.tasks) == 1
    assert capsys.readouterr().err.count("an artifact of Weights & Biases is left out") == 2


def test_descriptors_that_track_2_does_not_take_are_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, panels, trainer, detector = a_training(tmp_path, "all")
    detector.network.config.dims, detector.described = 512, None
    panels.begin(trainer, detector)
    assert not detector.keeps_descriptors
    for _ in range(2):
        panels.validated(trainer, detector, small_judged(), best=True)
    assert sum(log.tasks) == 4, "panels and a checkpoint, twice"
    warned = "descriptors of 512 dimensions are no artifact of Weights & Biases: track 2 takes"
    assert capsys.readouterr().err.count(warned) == 1


def test_the_run_ends_as_its_training(tmp_path: Path) -> None:
    log, panels, _, _ = a_training(tmp_path, "all")
    panels.ended(Stopped("", status=75))
    assert log.exit_code == 75
    panels.ended(RuntimeError("x"))
    assert log.exit_code == 1
