"""The model card: what a packed network is, how its pictures are prepared, and how good it was."""

import dataclasses
import importlib.metadata
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sscd import __version__
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import MAX_ASPECT_RATIO
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import IMAGE_MEAN, IMAGE_STD, DescriptorNet
from sscd.models.fingerprint import network_fingerprint
from sscd.models.packages.half import WeightType
from sscd.models.threshold import MatchThreshold

NOT_STATED = "not stated"
_TEXTS = ("name", "licence", "fingerprint", "weights")
_THRESHOLDS = ("threshold", "stricter")


@dataclass(frozen=True)
class ModelCard:
    """What is said of a network wherever it goes, in plain values.

    Attributes:
        name: What people call it.
        licence: Of the weights.
        made_by: Versions of this package and of torch that packed it.
        fingerprint: Of architecture and weights, as in descriptor files.
        network: What rebuilds the network.
        preprocessing: What pictures become before they enter it.
        recipe: How it was trained; empty where that is not known.
        figures: Of its last validation; empty where there was none.
        threshold: From which score on two pictures are copies; None where it is not known.
        stricter: The same for 99 % precision.
        projection: How the projection after the network was learnt; empty where there is none.
        weights: How the weights are stored.
    """

    name: str
    licence: str
    made_by: Mapping[str, str]
    fingerprint: str
    network: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    recipe: Mapping[str, Any]
    figures: Mapping[str, Any]
    threshold: MatchThreshold | None
    stricter: MatchThreshold | None = None
    projection: Mapping[str, Any] = field(default_factory=dict)
    weights: str = "float32"

    @classmethod
    def of(cls, trained: TrainedNetwork, *, name: str, weights: WeightType = "float32") -> Self:
        """The card of a network.

        Args:
            trained: The network, with how its pictures are resized and what is known of it.
            name: What people call it.
            weights: How the weights are stored.
        """
        return cls(
            name=name,
            licence=trained.licence or NOT_STATED,
            made_by={"sscd": __version__, "torch": importlib.metadata.version("torch")},
            fingerprint=network_fingerprint(trained.network),
            network=_settings(trained.network),
            preprocessing=preprocessing_of(trained.inference),
            recipe=dict(trained.recipe),
            figures=dict(trained.figures),
            threshold=trained.threshold,
            stricter=trained.stricter,
            projection=dict(trained.projection),
            weights=weights,
        )

    def encode(self, *, indent: int | None = None) -> str:
        """The card as JSON, on one line unless it is indented."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        for key in _THRESHOLDS:
            values[key] = None if values[key] is None else values[key].as_json()
        return json.dumps(_plain(values), allow_nan=False, indent=indent)

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` has returned; what it does not know of is passed over.

        Raises:
            ValueError: It is no JSON, or a value is missing or of another kind.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"the model card is a {type(values).__name__}; expected a table")
        return cls(
            **{
                each.name: _decoded(each.name, values[each.name])
                for each in dataclasses.fields(cls)
                if _is_there(each, values)
            }
        )


def _is_there(wanted: "dataclasses.Field[Any]", values: Mapping[str, Any]) -> bool:
    """Whether a card says something; cards of before it was there need not."""
    if wanted.name in values:
        return True
    missing = dataclasses.MISSING
    if wanted.default is missing and wanted.default_factory is missing:
        raise ValueError(f"the model card has no {wanted.name}")
    return False


def _decoded(name: str, value: Any) -> Any:
    if name in _THRESHOLDS and value is None:
        return None
    wanted: type[Any] = str if name in _TEXTS else dict
    if not isinstance(value, wanted):
        raise ValueError(
            f"the model card's {name} is a {type(value).__name__}; expected a "
            f"{'text' if name in _TEXTS else 'table'}"
        )
    if name not in _THRESHOLDS:
        return value
    try:
        return MatchThreshold.from_json(value)
    except TypeError as error:
        raise ValueError(f"the model card's {name}: {error}") from error


def _settings(network: DescriptorNet) -> dict[str, Any]:
    """What rebuilds a network, as JSON reads it back."""
    return dataclasses.asdict(network.config) | {"scales": list(network.config.scales)}


def preprocessing_of(inference: InferenceSize) -> dict[str, Any]:
    """What pictures become before they enter a network, in plain values.

    Args:
        inference: How they are resized.
    """
    return {
        "size": inference.size,
        "mode": inference.mode,
        "interpolation": "bilinear with antialiasing, as Pillow's BILINEAR",
        "max_aspect_ratio": MAX_ASPECT_RATIO if inference.mode == "short_side" else None,
        "jpeg_decoding": "at the smallest DCT scale of 1, 1/2, 1/4 and 1/8 whose short side is at "
        "least `size`, as Pillow's draft mode",
        "orientation": "upright, by the EXIF orientation",
        "transparency": "laid over white",
        "colors": "RGB",
        "grey_of_16_bits": "divided by 257",
        "layout": "NCHW",
        "dtype": "uint8",
        "normalised_by": "the network",
        "mean": list(IMAGE_MEAN),
        "std": list(IMAGE_STD),
    }


def _plain(value: Any) -> Any:
    """Values that JSON can hold: numbers that are not finite become None, others text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
