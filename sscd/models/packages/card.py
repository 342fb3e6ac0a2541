"""The model card: what a packed network is, how its pictures are prepared, and how good it was."""

import dataclasses
import importlib.metadata
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sscd import __version__
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import MAX_ASPECT_RATIO
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import IMAGE_MEAN, IMAGE_STD
from sscd.models.fingerprint import network_fingerprint
from sscd.models.threshold import MatchThreshold

NOT_STATED = "not stated"


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

    @classmethod
    def of(cls, trained: TrainedNetwork, *, name: str) -> Self:
        """The card of a network.

        Args:
            trained: The network, with how its pictures are resized and what is known of it.
            name: What people call it.
        """
        return cls(
            name=name,
            licence=trained.licence or NOT_STATED,
            made_by={"sscd": __version__, "torch": importlib.metadata.version("torch")},
            fingerprint=network_fingerprint(trained.network),
            network=dataclasses.asdict(trained.network.config),
            preprocessing=preprocessing_of(trained.inference),
            recipe=dict(trained.recipe),
            figures=dict(trained.figures),
            threshold=trained.threshold,
        )

    def encode(self, *, indent: int | None = None) -> str:
        """The card as JSON, on one line unless it is indented."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values["threshold"] = None if self.threshold is None else self.threshold.as_json()
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
        known: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            if field.name not in values:
                raise ValueError(f"the model card has no {field.name}")
            known[field.name] = value = values[field.name]
            text_wanted = field.name in ("name", "licence", "fingerprint")
            wanted = str if text_wanted else dict
            if not isinstance(value, wanted) and (field.name != "threshold" or value is not None):
                raise ValueError(
                    f"the model card's {field.name} is a {type(value).__name__}; expected a "
                    f"{'text' if text_wanted else 'table'}"
                )
        if known["threshold"] is not None:
            try:
                known["threshold"] = MatchThreshold.from_json(known["threshold"])
            except TypeError as error:
                raise ValueError(f"the model card's threshold: {error}") from error
        return cls(**known)


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
