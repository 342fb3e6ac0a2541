"""The card of the model in the box: what it says, and what a fact that is missing does."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from docs.write_model_card import main, write_card
from sscd.errors import UserError
from sscd.models.box.facts import read_facts
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.packages.card import ModelCard
from sscd.models.packages.half import rounded_to_half
from sscd.models.packages.safetensors_file import write_package
from tests.conftest import REPOSITORY
from tests.models.packages.packed import small_trained

SHIPPED = REPOSITORY / "sscd" / "models" / "box" / "facts.json"
FIGURES = {"micro_ap": 0.5, "recall_at_p90": 0.4}
MEASURED = {
    "training": ["For two hours.", "On one machine."],
    "benchmark": "100 queries.",
    "systems": [
        {"name": "the model", **FIGURES},
        {"name": "PDQ hash", **FIGURES, "ahead": 0.1, "low": 0.05, "high": 0.15},
    ],
    "thresholds": "Learnt on others.",
    "speed": "100 pictures a second.",
}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with all that the box wants of one."""
    trained = small_trained()
    assert trained.threshold is not None
    stricter = replace(trained.threshold, precision=0.99)
    return written(tmp_path_factory.mktemp("network"), replace(trained, stricter=stricter))


def written(folder: Path, trained: TrainedNetwork) -> Path:
    trained = replace(trained, network=rounded_to_half(trained.network))
    card = ModelCard.of(trained, name="Small", weights="float16")
    write_package(folder / "a.safetensors", trained, card)
    return folder / "a.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A box whose facts are complete."""
    values = json.loads(SHIPPED.read_text(encoding="utf-8")) | MEASURED
    values["source"]["use"] = "Some of them."
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "facts.json").write_text(json.dumps(values))
    return tmp_path / "box"


def test_everything_is_on_the_page(folder: Path, network: Path) -> None:
    page = write_card(folder, network).read_text(encoding="utf-8")
    assert (folder / "model.safetensors").is_file()
    for expected in (
        "# Small: the model in the box",
        "| network | resnet18, 8 dimensions |",
        "Pietro Perona: *Caltech 101 (1.0)*, CaltechDATA, 2022, <https://doi.org/",
        "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Some of them.",
        "| the model | 0.500 | 0.400 | – |",
        "| PDQ hash | 0.500 | 0.400 | +0.100 [+0.050, +0.150] |",
        "At 90% precision",
        "At 99% precision",
        "- Recognising or finding people",
        "For two hours.\n\nOn one machine.",
        "100 pictures a second.",
    ):
        assert expected in page, expected
    assert "None" not in page
    assert write_card(folder).read_text(encoding="utf-8") == page, "again, of what is there"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"training": None}, "training got None; expected a list of texts"),
        ({"speed": " "}, "speed got ' '; expected a text"),
        ({"systems": []}, "systems is empty"),
        ({"systems": [{"name": "x"}]}, "micro_ap"),
        ({"source": {"title": "x", "year": 1}}, "authors"),
        ({"not_for": []}, "not_for got []"),
    ],
)
def test_a_missing_fact_is_named(
    folder: Path, network: Path, change: dict[str, Any], expected: str
) -> None:
    values = json.loads((folder / "facts.json").read_text()) | change
    (folder / "facts.json").write_text(json.dumps(values))
    with pytest.raises(UserError) as caught:
        write_card(folder, network)
    assert expected in str(caught.value)
    assert not (folder / "card.md").exists()
    assert not (folder / "model.safetensors").exists()


def test_a_network_without_thresholds_is_refused(folder: Path) -> None:
    bare = written(folder, replace(small_trained(), threshold=None))
    with pytest.raises(UserError, match="names no thresholds for 90 and 99 %"):
        write_card(folder, bare)


def test_too_large_a_network_is_refused(
    folder: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docs.write_model_card.LARGEST", 1000)
    with pytest.raises(UserError, match="the box holds 1,000"):
        write_card(folder, network)


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["none.safetensors"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_facts(tmp_path: Path) -> None:
    shutil.copy(SHIPPED, tmp_path / "facts.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ValueError, match="got a list; expected a table"):
        read_facts(tmp_path / "list.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match="broken"):
        read_facts(tmp_path / "broken.json")
