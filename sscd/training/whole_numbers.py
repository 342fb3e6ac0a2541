"""Arguments that take a count or a share: 1 is one batch, and 1.0 is all of them."""

from types import UnionType
from typing import Any, Union, get_args, get_origin


def keep_whole_numbers(parser: Any) -> None:
    """Let an argument that is a whole number or a fraction try the whole number first.

    Python hands out one object for `Optional[Union[int, float]]` and `Optional[Union[float, int]]`,
    that of whichever library asked first; in the second order 1 batch would become 1.0, all.

    Args:
        parser: Of jsonargparse, with all its arguments.
    """
    for action in parser._actions:
        hint = getattr(action, "_typehint", None)
        kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else ()
        if {int, float} <= set(kinds):
            ordered = [int, float, *(kind for kind in kinds if kind not in (int, float))]
            action._typehint = Union[tuple(ordered)]  # noqa: UP007
