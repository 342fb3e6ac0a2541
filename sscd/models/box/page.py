"""The card of the model in the box, as a page for people, made from its file and its facts."""

from collections.abc import Sequence

from sscd.models.box.facts import BoxFacts, Source, SystemFigures
from sscd.models.packages.card import ModelCard
from sscd.models.packages.card_page import preparation, projection_in_words, thresholds_in_words


def box_page(card: ModelCard, facts: BoxFacts, *, size: int) -> str:
    """Write the card as Markdown.

    Args:
        card: What the model's file says of itself.
        facts: What is known besides.
        size: Bytes of the file.
    """
    parts = [f"# {card.name}: the model in the box", "", facts.about, ""]
    parts += _about(card, size=size)
    parts += ["", "## What it must not be used for", "", *_listed(facts.not_for)]
    parts += ["", "## What it cannot do", "", *_listed(facts.limits)]
    parts += ["", "## How good it is", "", facts.benchmark, "", *_systems(facts.systems)]
    parts += ["", "## From which score on pictures are copies", ""]
    parts += [*thresholds_in_words(card), "", facts.thresholds]
    parts += ["", "## What it was trained on", "", _attribution(facts.source), ""]
    parts += [line for paragraph in facts.training for line in (paragraph, "")]
    parts += ["## Speed", "", facts.speed]
    parts += ["", "## Pictures", "", preparation(card.preprocessing)]
    return "\n".join(parts) + "\n"


def _about(card: ModelCard, *, size: int) -> list[str]:
    network, versions = card.network, card.made_by
    rows = {
        "network": f"{network.get('backbone')}, {network.get('dims')} dimensions",
        **({"projection": projection_in_words(card.projection)} if card.projection else {}),
        "file": f"safetensors, weights in {card.weights}, {size / 1e6:.1f} MB",
        "fingerprint": f"`{card.fingerprint}`",
        "licence of the weights": card.licence,
        "packed by": f"sscd {versions.get('sscd')}, torch {versions.get('torch')}",
    }
    return ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())]


def _listed(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _systems(systems: Sequence[SystemFigures]) -> list[str]:
    rows = ["| system | micro-AP | recall at 90 % precision | the model is ahead by |"]
    rows.append("|---|---|---|---|")
    for one in systems:
        ahead = "–"
        if one.ahead is not None and one.low is not None and one.high is not None:
            ahead = f"{one.ahead:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
        rows.append(f"| {one.name} | {one.micro_ap:.3f} | {one.recall_at_p90:.3f} | {ahead} |")
    return [*rows, "", "In brackets the paired 95 % bootstrap interval over queries."]


def _attribution(source: Source) -> str:
    return (
        f"{source.authors}: *{source.title}*, {source.publisher}, {source.year}, "
        f"<{source.address}>, licensed under [{source.licence}]({source.licence_address}). "
        f"{source.use}"
    )
