"""Examples in docstrings as code: this package's `Example:` is what griffe calls `Examples:`."""

import re
from textwrap import indent
from typing import Any

from griffe import Extension, Object

_SECTION = re.compile(r"^Example:\n((?:    .*(?:\n|$)|\n)+)", re.MULTILINE)


class Examples(Extension):
    """Renames the section, and fences an example that is no session of the interpreter."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite one docstring."""
        if obj.docstring:
            obj.docstring.value = _SECTION.sub(_examples, obj.docstring.value)


def _examples(section: re.Match[str]) -> str:
    text = section[1]
    if text.lstrip().startswith(">>>"):
        return f"Examples:\n{text}"
    fence = indent("```", "    ")
    return f"Examples:\n{fence}python\n{text.rstrip()}\n{fence}\n"
