from dataclasses import replace
from pathlib import Path

from sscd.commands.describing import DescribeOptions
from sscd.commands.systems.network_facts import NetworkFacts, training_note
from sscd.models.seeing import Seeing
from tests.commands.small import write_checkpoint


def test_facts_are_those_of_the_network(tmp_path: Path) -> None:
    options = DescribeOptions(write_checkpoint(tmp_path / "a.ckpt"), workers=0, device="cpu")
    facts = NetworkFacts.read(options)
    assert (facts.config.dims, facts.settings["inference"]) == (16, "32 square")
    assert facts.settings["network"] == facts.fingerprint
    assert facts.note == "training not known; described at 32 px (square)"
    others = NetworkFacts.read(replace(options, seeing=Seeing([1, 1.5], True)))
    assert others.note == f"{facts.note}; scales 1 and 1.5, mirrored too"
    assert others.fingerprint != facts.fingerprint


def test_notes_of_trainings() -> None:
    recipe = {"training_pictures": 3849, "epochs": 8.0, "image_size": 64, "weights": "x.pt"}
    assert training_note(recipe) == [
        "3,849 training pictures, 8 epochs at 64 px",
        "from other weights",
    ]
    attacked = {"adversarial": {"share": 0.25}, "classification": {"classes": 1200}}
    facts = training_note(recipe | attacked)
    assert facts[2:] == ["1,200 classes", "adversarial edits on 25% of the pictures"]
    assert training_note({"source": "published weights"}) == ["published weights"]
    assert training_note({"epochs": None}) == ["training not known"]
