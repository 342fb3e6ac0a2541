"""Write the page of the model in the box: how it is used, and the card that comes with it."""

from pathlib import Path

import mkdocs_gen_files

from docs.generate.pages import written

CARD = Path("sscd/models/box/card.md")


def _card() -> list[str]:
    """The card's lines, its headings one level down."""
    if not CARD.is_file():
        return ["This version comes without a model: give `--checkpoint`."]
    lines = CARD.read_text(encoding="utf-8").splitlines()
    return [f"#{line}" if line.startswith("#") else line for line in lines]


with mkdocs_gen_files.open("model_card.md", "w") as page:
    page.write("\n".join([written("model_card.md"), "", *_card()]) + "\n")
