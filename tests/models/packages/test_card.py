"""Model cards: round trip, what is not stated, and damaged ones."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from sscd import __version__
from sscd.augment.inference import InferenceSize
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.fingerprint import network_fingerprint
from sscd.models.packages.card import ModelCard, preprocessing_of
from tests.models.networks import small_network
from tests.models.packages.packed import FIGURES, RECIPE, small_card, small_trained


def test_round_trip() -> None:
    card = small_card()
    assert ModelCard.decode(card.encode()) == card
    assert "\n" not in card.encode()
    assert card.name == "small"
    assert card.licence == "MIT"
    assert card.fingerprint == network_fingerprint(small_network())
    assert (card.recipe, card.figures) == (RECIPE, FIGURES)
    assert card.made_by["sscd"] == __version__
    assert card.threshold is not None
    assert card.threshold.similarity == 0.75


def test_published_weights_have_a_card_too() -> None:
    trained = TrainedNetwork(small_network(), InferenceSize(288, "short_side"))
    card = ModelCard.of(trained, name="published")
    assert (card.recipe, card.figures, card.threshold) == ({}, {}, None)
    assert card.licence == "not stated"
    assert ModelCard.decode(card.encode()) == card


def test_what_json_cannot_hold_is_written_as_what_it_can() -> None:
    figures = {"nan": math.nan, "inf": math.inf, "set": (1, 2), "object": {1: print}}
    card = ModelCard.of(replace(small_trained(), figures=figures), name="odd")
    read = ModelCard.decode(card.encode()).figures
    assert (read["nan"], read["inf"], read["set"]) == (None, None, [1, 2])
    assert read["object"] == {"1": str(print)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": 3}, "name is a int"),
        ({"recipe": []}, "recipe is a list"),
        ({"threshold": "high"}, "threshold is a str"),
        ({"threshold": {"score": 1}}, "threshold"),
        ({"fingerprint": None}, "fingerprint is a NoneType"),
    ],
)
def test_wrong_values_are_named(change: dict[str, Any], expected: str) -> None:
    values = json.loads(small_card().encode()) | change
    with pytest.raises(ValueError, match=expected):
        ModelCard.decode(json.dumps(values))


@pytest.mark.parametrize("text", ["", "3", "[]", "{}"])
def test_no_card(text: str) -> None:
    with pytest.raises(ValueError, match=r"model card|Expecting"):
        ModelCard.decode(text)


def test_later_cards_may_say_more() -> None:
    values = json.loads(small_card().encode()) | {"colour": "red"}
    assert ModelCard.decode(json.dumps(values)) == small_card()


def test_the_preparation_of_pictures_is_written_out() -> None:
    said = preprocessing_of(InferenceSize(288, "short_side"))
    assert (said["size"], said["mode"], said["max_aspect_ratio"]) == (288, "short_side", 16)
    assert said["mean"] == [0.485, 0.456, 0.406]
    assert preprocessing_of(InferenceSize(288, "square"))["max_aspect_ratio"] is None
