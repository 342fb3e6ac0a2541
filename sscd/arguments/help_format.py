"""Help pages that name types in plain words."""

import ast
import re
from argparse import Action

from jsonargparse import DefaultHelpFormatter

_CLASS = re.compile(r"<class '([\w.]+)'>")
_LITERAL = re.compile(r"Literal\[(.*?)\]")
_OPTIONAL = re.compile(r"Optional\[(.*)\]")


class PlainHelp(DefaultHelpFormatter):
    """jsonargparse's, with types as `plain_type` has them."""

    def _get_type_str(self, action: Action) -> str | None:
        text = super()._get_type_str(action)
        return None if text is None else plain_type(text)


def plain_type(text: str) -> str:
    """A type as it is written on a command line, not in Python.

    >>> plain_type("<class 'Path'>"), plain_type("Optional[Literal['cpu', 'cuda']]")
    ('path', '{cpu,cuda} | null')
    """
    text = _LITERAL.sub(lambda found: _choices(found[1]), text)
    text = _OPTIONAL.sub(r"\1 | null", text)
    text = _CLASS.sub(lambda found: found[1].rpartition(".")[2], text)
    return re.sub(r"\bPath\b", "path", text)


def _choices(members: str) -> str:
    return "{" + ",".join(map(str, ast.literal_eval(f"[{members}]"))) + "}"
