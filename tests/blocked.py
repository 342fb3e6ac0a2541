"""Makes a process act as if libraries were not installed: `python -m tests.blocked NAME,NAME CODE`.

A stand-in for an environment without them, which takes minutes to install.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from sscd.extras import EXTRAS

TRAINING_ONLY = (*EXTRAS["train"], *EXTRAS["faiss"], *EXTRAS["timm"])


class Blocked:
    """A finder of modules that finds all but some.

    Args:
        finder: What finds the others.
        names: Top-level modules.
    """

    def __init__(self, finder: Any, names: Sequence[str]) -> None:
        self._finder = finder
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self._names:
            return None
        found: ModuleSpec | None = self._finder.find_spec(fullname, path, target)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


def block(names: Sequence[str]) -> None:
    """Act from now on as if these were not installed."""
    finders: list[Any] = [Blocked(finder, names) for finder in sys.meta_path]
    sys.meta_path[:] = finders


if __name__ == "__main__":
    block(sys.argv[1].split(","))
    exec(sys.argv[2], {"__name__": "__main__"})
