"""`evaluation.h5` is always of `best.ckpt`; readers are told of every validation, on rank 0."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lightning.pytorch.trainer.states import TrainerFn

from sscd.augment.inference import InferenceSize
from sscd.data.records import Collection, ImageSet
from sscd.errors import Stopped, UserError
from sscd.evaluation.judged import Judged
from sscd.evaluation.report import make_report
from sscd.files import atomic_path
from sscd.formats.evaluation_file import read_evaluations
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.fingerprint import network_fingerprint
from sscd.training.run import reports
from sscd.training.run.reports import ValidationReports
from sscd.training.run.run_directory import RunDirectory
from tests.report.weights_and_biases.judged import small_judged


class Reader:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def begin(self, trainer: Any, detector: Any) -> None:
        self.told.append("begin")

    def validated(self, trainer: Any, detector: Any, judged: Judged, *, best: bool) -> None:
        self.told.append((trainer.global_step, judged.system, best))

    def ended(self, error: BaseException) -> None:
        self.told.append(error)


@pytest.fixture(scope="module")
def network() -> DescriptorNet:
    return DescriptorNet(NetworkConfig(backbone="resnet18", dims=4))


def a_trainer(folder: Path, *, edits: str | None = None) -> Any:
    """A trainer as it is at the end of a validation."""
    file = folder / "edits.jsonl"
    if edits is not None:
        file.write_text(edits)
    sets = [ImageSet.from_names(name, root=folder / name, names=()) for name in "tqr"]
    truth = small_judged().truth
    collection = Collection(sets[0], sets[2], sets[1], truth, edits=None if edits is None else file)
    return SimpleNamespace(
        state=SimpleNamespace(fn=TrainerFn.FITTING),
        sanity_checking=False,
        is_global_zero=True,
        global_step=6,
        current_epoch=0,
        datamodule=SimpleNamespace(set_name="a set", collection=collection),
    )


def a_detector(network: DescriptorNet) -> Any:
    return SimpleNamespace(
        network=network, inference=InferenceSize(), evaluation=small_judged().evaluation
    )


def save(run: RunDirectory, text: str) -> None:
    with atomic_path(run.best) as temporary:
        temporary.write_text(text)


def test_it_is_of_the_best(tmp_path: Path, network: DescriptorNet) -> None:
    run, reader = RunDirectory(tmp_path / "my run"), Reader()
    edits = "".join(
        f'{{"query_id": "Q{i:03d}", "edits": [{{"name": "crop"}}]}}\n' for i in range(24)
    )
    trainer, detector = a_trainer(tmp_path, edits=edits), a_detector(network)
    callback = ValidationReports(run, reader)
    callback.on_fit_start(trainer, detector)
    save(run, "first")
    callback.on_validation_end(trainer, detector)
    (judged,) = read_evaluations(run.evaluation)
    assert judged.system == "my run"
    assert judged.origin.model == network_fingerprint(network)
    assert judged.facts["step"] == "6"
    assert judged.facts["checkpoint"] == str(run.best)
    assert judged.query_pictures == str(tmp_path / "q")
    assert judged.reference_pictures == str(tmp_path / "r")
    report = make_report(judged, samples=0)
    assert report.figures == detector.evaluation.figures
    assert report.edits
    assert [group.name for group in report.edits.operations] == ["crop"]

    trainer.global_step = 12
    callback.on_validation_end(trainer, detector)  # no better, so `best.ckpt` is as it was
    assert read_evaluations(run.evaluation)[0].facts["step"] == "6"

    resumed = ValidationReports(run, reader)
    resumed.on_fit_start(trainer, detector)
    resumed.on_validation_end(trainer, detector)
    assert read_evaluations(run.evaluation)[0].facts["step"] == "6"
    save(run, "first")  # of the same content, and yet another validation's
    resumed.on_validation_end(trainer, detector)
    assert read_evaluations(run.evaluation)[0].facts["step"] == "12"
    stopped = Stopped("", status=75)
    resumed.on_exception(trainer, detector, stopped)
    assert reader.told == [
        *("begin", (6, "my run", True), (12, "my run", False)),
        *("begin", (12, "my run", False), (12, "my run", True), stopped),
    ]


@pytest.mark.parametrize("error", [UserError, RuntimeError, ValueError])
def test_what_cannot_be_written_leaves_nothing_of_an_earlier_best(
    tmp_path: Path,
    network: DescriptorNet,
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunDirectory(tmp_path)
    trainer, detector = a_trainer(tmp_path), a_detector(network)
    callback = ValidationReports(run)
    save(run, "first")
    callback.on_validation_end(trainer, detector)
    assert run.evaluation.is_file()

    def fail(*_: Any) -> None:
        raise error("no space")

    monkeypatch.setattr(reports, "write_evaluations", fail)
    save(run, "second")
    callback.on_validation_end(trainer, detector)
    assert not run.evaluation.exists()
    assert "is not kept: no space" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ("{broken", "not JSON"),
        ('{"query_id": "X", "edits": [{"name": "crop"}]}\n', "names none of the copies"),
    ],
)
def test_edits_that_are_of_no_use_are_said(
    tmp_path: Path,
    network: DescriptorNet,
    edits: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunDirectory(tmp_path)
    callback = ValidationReports(run, Reader())
    trainer = a_trainer(tmp_path, edits=edits)
    for text in ("first", "second"):
        save(run, text)
        callback.on_validation_end(trainer, a_detector(network))
    assert read_evaluations(run.evaluation)[0].edits is None
    assert capsys.readouterr().err.count(words) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"sanity_checking": True},
        {"is_global_zero": False},
        {"state": SimpleNamespace(fn=TrainerFn.VALIDATING)},
    ],
)
def test_other_validations_and_ranks_leave_nothing(
    tmp_path: Path, network: DescriptorNet, changed: dict[str, Any]
) -> None:
    run, reader = RunDirectory(tmp_path), Reader()
    trainer = a_trainer(tmp_path)
    callback = ValidationReports(run, reader)
    save(run, "first")
    vars(trainer).update(changed)
    callback.on_validation_end(trainer, a_detector(network))
    assert not run.evaluation.exists()
    assert reader.told == []
