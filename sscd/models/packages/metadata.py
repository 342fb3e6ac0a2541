"""The texts that every packed network carries, whatever its format."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import NetworkConfig
from sscd.models.packages.card import NOT_STATED, ModelCard
from sscd.models.plain_file import first_line

FORMAT = 1
_FORMAT = "sscd.format"
_INFERENCE = "sscd.inference"
_CARD = "sscd.model_card"
_CALIBRATION = "sscd.calibration"
KEYS = (_FORMAT, _INFERENCE, _CARD)


@dataclass(frozen=True)
class PackageInfo:
    """What a packed network says of itself.

    Attributes:
        config: What rebuilds the network.
        inference: How its pictures are resized.
        card: The model card.
        calibration: What thresholds are chosen by; None where it carries none.
    """

    config: NetworkConfig
    inference: InferenceSize
    card: ModelCard
    calibration: dict[str, Any] | None = None

    @property
    def licence(self) -> str:
        """Of the weights; empty where it is not stated."""
        return "" if self.card.licence == NOT_STATED else self.card.licence


def pack_info(trained: TrainedNetwork, card: ModelCard) -> dict[str, str]:
    """Write what a packed network says of itself.

    Args:
        trained: The network.
        card: Its card.
    """
    texts = {
        _FORMAT: str(FORMAT),
        _INFERENCE: json.dumps(dataclasses.asdict(trained.inference)),
        _CARD: card.encode(),
    }
    if trained.calibration is not None:
        texts[_CALIBRATION] = json.dumps(trained.calibration)
    return texts


def unpack_info(texts: Mapping[str, str], *, path: Path) -> PackageInfo:
    """Read what a packed network says of itself.

    Args:
        texts: What `pack_info` has returned, among others.
        path: The file, for messages.

    Raises:
        UserError: It was not written by `sscd export --model-only`, by a later version, or is
            damaged.
    """
    missing = [key for key in KEYS if key not in texts]
    if missing:
        raise UserError(
            f"{path} was not written by `sscd export --model-only`: it has no '{missing[0]}' in "
            "its metadata"
        )
    if texts[_FORMAT] != str(FORMAT):
        raise UserError(
            f"{path} has format {texts[_FORMAT][:20]!r}; this version reads {FORMAT}: install a "
            "newer sscd, or export the checkpoint again"
        )
    try:
        card = ModelCard.decode(texts[_CARD])
        inference = InferenceSize(**json.loads(texts[_INFERENCE]))
        calibration = json.loads(texts.get(_CALIBRATION, "null"))
        if not isinstance(calibration, dict | None):
            raise ValueError(f"its calibration is a {type(calibration).__name__}; expected a table")
        return PackageInfo(NetworkConfig(**card.network), inference, card, calibration)
    except (AttributeError, ValueError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path} describes no network: {first_line(error)}; export it again"
        ) from error
