"""A small network with all that can be said of one."""

from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.packages.card import ModelCard
from sscd.models.threshold import threshold_of_figures
from tests.models.networks import small_network

RECIPE = {
    "views": {"name": "advanced"},
    "training_data": {"name": "photos", "pictures": 24, "names_digest": "0123456789abcdef"},
}
FIGURES = {
    "micro_ap": 0.5,
    "recall_at_p90": 0.25,
    "threshold_at_p90": -0.5,
    "recall_at_1": 0.75,
    "recall_at_10": 1.0,
    "queries": 8,
    "references": 12,
    "protocol": "10 neighbours a query",
    "step": 7,
    "data": "photos",
    "preprocessing": "64 square",
}


def small_trained(
    *, size: int = 64, mode: ResizeMode = "square", seed: int = 0, licence: str = "MIT"
) -> TrainedNetwork:
    return TrainedNetwork(
        small_network(seed=seed),
        InferenceSize(size, mode),
        recipe=RECIPE,
        figures=FIGURES,
        threshold=threshold_of_figures(FIGURES),
        licence=licence,
    )


def small_card(trained: TrainedNetwork | None = None) -> ModelCard:
    return ModelCard.of(trained or small_trained(), name="small")
