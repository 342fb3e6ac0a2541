"""Which rows a command line asks for, and how they are built."""

from pathlib import Path
from typing import Any

import pytest

from sscd.baselines.how.system import HowSystem
from sscd.baselines.vector_system import VectorSystem
from sscd.commands.systems.catalogue import Catalogue
from sscd.commands.systems.options import SystemOptions
from sscd.commands.systems.plan import SystemPlan
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from tests.commands.small import HOW, MULTIGRAIN, write_checkpoint


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("networks")
    write_checkpoint(root / "a.ckpt")
    write_checkpoint(root / "mg.ckpt", config=MULTIGRAIN)
    write_checkpoint(root / "how.ckpt", config=HOW)
    (root / "run" / "checkpoints").mkdir(parents=True)
    write_checkpoint(root / "run" / "checkpoints" / "best.ckpt", seed=1)
    return root


def catalogue(work: Path, *, training: int = 1000, **values: Any) -> Catalogue:
    options = SystemOptions(workers=0, device="cpu", **values)
    options.check()
    return Catalogue.of(options, work=work, training=training)


def test_all_rows_in_the_papers_order(networks: Path, tmp_path: Path) -> None:
    found = catalogue(
        tmp_path,
        checkpoints=[networks / "a.ckpt", networks / "run" / "checkpoints" / "best.ckpt"],
        multigrain=networks / "mg.ckpt",
        how=networks / "how.ckpt",
        words=64,
    )
    names = [plan.name for plan in found.plans]
    assert names[:4] == ["GIST 960", "GIST, PCA 256", "Multigrain", "HOW + ASMK"]
    assert names[-4:] == ["a", "a, whitened", "run", "run, whitened"]
    assert len({plan.file_name for plan in found.plans}) == len(names)
    by_name = {plan.name: plan for plan in found.plans}
    assert by_name["Multigrain"].settings["dims"] == 512
    assert by_name["a"].fingerprint == by_name["a, whitened"].fingerprint
    assert "64 words" in by_name["HOW + ASMK"].note
    assert by_name["GIST 960"].fingerprint == ""


def test_rows_are_what_they_are_called(networks: Path, tmp_path: Path) -> None:
    found = catalogue(
        tmp_path,
        rows=["multigrain", "how", "checkpoints"],
        checkpoints=[networks / "a.ckpt"],
        multigrain=networks / "mg.ckpt",
        how=networks / "how.ckpt",
    )
    systems = {plan.name: plan.build(SkipLog()) for plan in found.plans}
    kinds = {name: type(system) for name, system in systems.items()}
    assert kinds.pop("HOW + ASMK") is HowSystem
    assert set(kinds.values()) == {VectorSystem}
    norms = {name: str(system.norm) for name, system in systems.items()}
    assert norms == {
        "Multigrain": "2.0[9]",
        "HOW + ASMK": "2.0[9]",
        "a": "1.0[0,2]",
        "a, whitened": "1.0[0,2]",
    }
    assert [systems[name].dims for name in norms] == [512, None, 16, 16]


def test_few_training_pictures_cost_rows_and_dimensions(networks: Path, tmp_path: Path) -> None:
    found = catalogue(
        tmp_path,
        training=12,
        rows=["gist", "multigrain", "checkpoints"],
        checkpoints=[networks / "a.ckpt"],
        multigrain=networks / "mg.ckpt",
    )
    assert [plan.name for plan in found.plans] == ["GIST 960", "Multigrain", "a"]
    assert found.plans[1].settings["dims"] == 11
    assert [line.partition(":")[0] for line in found.left_out] == ["GIST, PCA 256", "a, whitened"]


def test_a_plan_holds_no_system(networks: Path, tmp_path: Path) -> None:
    for plan in catalogue(tmp_path, rows=["gist", "hashes"]).plans:
        assert plan.build(SkipLog()) is not plan.build(SkipLog())


def test_rows_of_one_name_are_refused(networks: Path, tmp_path: Path) -> None:
    for name in ("GIST 960", "PDQ"):
        with pytest.raises(UserError, match=rf"two rows of the table are called {name}"):
            catalogue(tmp_path, checkpoints=[networks / "a.ckpt"], names=[name])


def test_a_table_without_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sscd.baselines.hashes.importlib.util.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"has no row: aHash, dHash, .*sscd\[hashes\]"):
        catalogue(tmp_path, rows=["hashes"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"words": 0}, "--words 0"),
        ({"features": -1}, "--features -1"),
        ({"rows": ["how"]}, "--rows how needs a network; give --how"),
        ({"rows": ["gist"], "how": Path("x")}, "--how is given, and --rows lacks how"),
        ({"checkpoints": [Path("x/a.pt"), Path("y/a.pt")]}, "two checkpoints are called a"),
    ],
)
def test_options_that_contradict(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        SystemOptions(**values).check()


def test_names_of_files() -> None:
    def name_of(name: str) -> str:
        return SystemPlan(name, {}, lambda _: None).file_name  # type: ignore[arg-type, return-value]

    assert name_of("GIST, PCA 256") == "gist-pca-256"
    assert name_of("../../etc/passwd") == "etc-passwd"
    assert name_of("用") == "system"
