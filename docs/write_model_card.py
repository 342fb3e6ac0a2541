"""Put a network into the box, and write its card: `python docs/write_model_card.py NETWORK`.

NETWORK is what `sscd export --model-only --weights float16 --calibration FILE` wrote. What its file
does not say stands in sscd/models/box/facts.json, which is written by hand. Without NETWORK the
card of the network that is in the box is written anew.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.models.box.facts import read_facts
from sscd.models.box.page import box_page
from sscd.models.packages.safetensors_file import read_info

FOLDER = Path(__file__).parents[1] / "sscd" / "models" / "box"
LARGEST = 24_000_000


def write_card(folder: Path, network: Path | None = None) -> Path:
    """Write `card.md`, and put a network beside it.

    Args:
        folder: Of the box, with its facts.
        network: What to put there as `model.safetensors`; None for what is there.

    Raises:
        UserError: The network is too large or has no thresholds, or a fact is missing.
    """
    placed = folder / "model.safetensors"
    source = network or placed
    card = read_info(source).card
    size = source.stat().st_size
    if size > LARGEST:
        raise UserError(f"{source} has {size:,} bytes; the box holds {LARGEST:,}")
    if card.threshold is None or card.stricter is None:
        raise UserError(f"{source} names no thresholds for 90 and 99 %; export it with one")
    try:
        facts = read_facts(folder / "facts.json")
    except ValueError as error:
        raise UserError(f"{error}; complete the facts") from error
    if source != placed:
        with atomic_path(placed) as temporary:
            shutil.copyfile(source, temporary)
    page = folder / "card.md"
    with atomic_path(page) as temporary:
        temporary.write_text(box_page(card, facts, size=size), encoding="utf-8")
    return page


def main(arguments: Sequence[str]) -> int:
    """Do it as asked for on the command line."""
    try:
        print(write_card(FOLDER, Path(arguments[0]) if arguments else None))  # noqa: T201
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
