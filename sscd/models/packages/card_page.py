"""A model card as a page for people, in Markdown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sscd.models.descriptor import NetworkConfig
from sscd.models.packages.card import ModelCard
from sscd.models.seeing import seeing_note
from sscd.models.threshold import MatchThreshold

_FIGURES = {
    "micro_ap": "micro-AP",
    "recall_at_p90": "recall at 90 % precision",
    "recall_at_1": "recall at rank 1",
    "recall_at_10": "recall at rank 10",
}


class _File(Protocol):
    """What is said of a file of the network."""

    @property
    def path(self) -> Any: ...
    @property
    def sizes(self) -> str | None: ...
    @property
    def difference(self) -> float | None: ...


def card_page(card: ModelCard, files: Sequence[_File] = ()) -> str:
    """Write a card as Markdown.

    Args:
        card: The card.
        files: The files it stands beside.
    """
    network, versions = card.network, card.made_by
    seen = seeing_note(NetworkConfig(**network))
    about = {
        "network": f"{network.get('backbone')}, {network.get('dims')} dimensions",
        **({"pictures are seen": seen} if seen else {}),
        **({"projection": projection_in_words(card.projection)} if card.projection else {}),
        "fingerprint": f"`{card.fingerprint}`",
        "licence of the weights": card.licence,
        "packed by": f"sscd {versions.get('sscd')}, torch {versions.get('torch')}",
    }
    parts = [f"# {_line(card.name)}", "", *_table(about)]
    if files:
        rows = {
            f"`{file.path.name}`": f"weights in {card.weights}, for this package"
            if file.difference is None
            else f"pictures of {file.sizes} size; within {file.difference:.1e} of torch"
            for file in files
        }
        parts += ["", "## Files", "", *_table(rows)]
    parts += ["", "## Pictures", "", preparation(card.preprocessing)]
    parts += ["", "## Validation", "", *_validation(card.figures)]
    if card.projection and card.figures:
        parts += ["", "They are of the network before its projection."]
    parts += ["", "## Copies", "", *thresholds_in_words(card)]
    parts += ["", "## Training", "", *_training(card.recipe)]
    return "\n".join(parts)


def preparation(preprocessing: Mapping[str, Any]) -> str:
    """What pictures become before they enter a network, in a paragraph."""
    size, mode = preprocessing.get("size"), preprocessing.get("mode")
    target = {
        "square": f"to {size}×{size} pixels",
        "short_side": f"to a short side of {size} pixels, the aspect kept, at most "
        f"{preprocessing.get('max_aspect_ratio')} times as long",
        "long_side": f"to a long side of at most {size} pixels, the aspect kept",
    }.get(str(mode), f"{size} {mode}")
    said = {key: preprocessing.get(key) for key in ("orientation", "transparency", "mean", "std")}
    return (
        f"RGB, {said['orientation']}; transparency {said['transparency']}; JPEG files are decoded "
        f"{preprocessing.get('jpeg_decoding')}; then resized {target}, "
        f"{preprocessing.get('interpolation')}. The network takes uint8 and normalises by mean "
        f"{said['mean']} and deviation {said['std']} of values in 0..1. Descriptors have norm 1: "
        "compare them by the dot product or by L2."
    )


def _validation(figures: Mapping[str, Any]) -> list[str]:
    if not figures:
        return ["Not known."]
    rows = {
        label: f"{figures[key]:.4f}"
        for key, label in _FIGURES.items()
        if isinstance(figures.get(key), float | int)
    }
    of = (
        f"{figures.get('queries')} queries against {figures.get('references')} references of "
        f"`{_line(figures.get('data', 'an unnamed set'))}`, {figures.get('protocol')}, pictures at "
        f"{figures.get('preprocessing') or 'an unknown size'}, after step {figures.get('step')}. "
        "The best checkpoint of a training is chosen by these figures, which flatters it a little."
    )
    return [*_table(rows), "", of]


def thresholds_in_words(card: ModelCard) -> list[str]:
    """From which similarity on two pictures are copies, one paragraph a precision."""
    if card.threshold is None:
        return ["No threshold is known: calibrate one by `sscd evaluate … --calibration FILE`."]
    said = [_threshold(card.threshold)]
    if card.stricter is not None:
        said += ["", _threshold(card.stricter)]
    return [*said, "", "More references let more wrong pairs pass."]


def projection_in_words(learnt: Mapping[str, Any]) -> str:
    """What follows the network's own descriptor, and what it was learnt on."""
    return (
        f"{learnt.get('kind')} from {learnt.get('from_dims')} to {learnt.get('dims')} dimensions, "
        f"learnt on {learnt.get('pictures')} pictures of `{learnt.get('data')}`, then L2; part of "
        "the network"
    )


def _threshold(threshold: MatchThreshold) -> str:
    recall = "" if threshold.recall is None else f", recall {threshold.recall:.4f}"
    among = "" if threshold.references is None else f" among {threshold.references} references"
    note = f" It {threshold.note}." if threshold.note else ""
    return (
        f"At {threshold.precision:.0%} precision{recall}{among}: a cosine of at least "
        f"{threshold.similarity:.4f}, that is a squared distance of at most "
        f"{threshold.squared_distance:.4f}. Learnt on {threshold.source}, pictures at "
        f"{threshold.preprocessing}.{note}"
    )


def _training(recipe: Mapping[str, Any]) -> list[str]:
    if not recipe:
        return ["Not known."]
    data = recipe.get("training_data")
    of = []
    if isinstance(data, Mapping):
        of = [
            f"{data.get('pictures')} pictures of `{_line(data.get('name'))}`, digest of their "
            f"names `{_line(data.get('names_digest'))}`.",
            "",
        ]
    return [*of, "```json", json.dumps(dict(recipe), indent=1, ensure_ascii=False), "```"]


def _table(rows: Mapping[str, str]) -> list[str]:
    lines = (f"| {_line(key)} | {_line(value)} |" for key, value in rows.items())
    return ["| | |", "|---|---|", *lines]


def _line(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
