"""The card for people says what the card for programs does."""

from pathlib import Path

from sscd.augment.inference import InferenceSize
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.packages.card import ModelCard
from sscd.models.packages.card_page import card_page
from sscd.models.packages.writing import PackedFile
from tests.models.networks import small_network
from tests.models.packages.packed import small_card


def test_everything_that_is_known() -> None:
    files = (
        PackedFile("safetensors", Path("a/small.safetensors"), 10),
        PackedFile("onnx", Path("a/small.onnx"), 10, "any", 2e-7),
    )
    page = card_page(small_card(), files)
    for expected in (
        "# small",
        "resnet18, 8 dimensions",
        "| licence of the weights | MIT |",
        "`small.onnx` | pictures of any size; within 2.0e-07 of torch",
        "to 64×64 pixels",
        "| micro-AP | 0.5000 |",
        "8 queries against 12 references of `photos`, 10 neighbours a query",
        "At 90% precision, recall 0.2500 among 12 references: a cosine of at least 0.7500",
        "24 pictures of `photos`, digest of their names `0123456789abcdef`",
    ):
        assert expected in page


def test_nothing_that_is_not_known() -> None:
    trained = TrainedNetwork(small_network(), InferenceSize(288, "long_side"))
    page = card_page(ModelCard.of(trained, name="a | b\n# c"))
    assert page.count("Not known.") == 2
    assert "No threshold is known" in page
    assert page.splitlines()[0] == "# a \\| b # c"
    assert "None" not in page
