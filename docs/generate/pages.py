"""Pages that begin as they were written and go on as the code is."""

from pathlib import Path

_DOCS = Path("docs")
_MARK = "<!-- made from the code, from here on -->"


def written(name: str) -> str:
    """The beginning of a page, without what stands in place of the rest on a code host.

    Raises:
        ValueError: Nothing says where it ends.
    """
    beginning, mark, _ = (_DOCS / name).read_text(encoding="utf-8").partition(_MARK)
    if not mark:
        raise ValueError(f"docs/{name} has no line {_MARK}; expected one above what is made")
    return beginning.rstrip()
