"""Values of a JSON object, checked as they are read; what is wrong is named with its key."""

import math
from typing import Any

from sscd.errors import UserError

# The largest integer that a float holds exactly; JSON itself sets no limit.
_LARGEST = 2**53
# True and False are integers to Python, and so come first.
_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "an integer"}


class Fields:
    """The keys of a JSON object.

    Args:
        value: What was read.
        where: What it is called in messages, such as a file's name.

    Raises:
        UserError: It is not an object.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise UserError(f"{where}: got {_kind(value)}; expected an object of keys")
        self._values: dict[Any, object] = value
        self._where = where

    def wrong(self, key: str, what: str) -> UserError:
        """What to raise where the value of a key is wrong."""
        return UserError(f"{self._where}: key {key!r}: got {what}")

    def is_null(self, key: str) -> bool:
        """Whether the key is there and null."""
        return self._get(key) is None

    def text(self, key: str) -> str:
        """A string.

        Raises:
            UserError: The key is missing or holds something else; so for all that follow.
        """
        value = self._get(key)
        if not isinstance(value, str):
            raise self.wrong(key, f"{_kind(value)}; expected text")
        return value

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        values = self.items(key)
        for value in values:
            if not isinstance(value, str):
                raise self.wrong(key, f"{_kind(value)}; expected texts")
        return [str(value) for value in values]

    def names(self) -> list[str]:
        """The keys that there are."""
        return list(self._values)

    def number(self, key: str) -> float:
        """A finite number."""
        return self._number(key, self._get(key))

    def integer(self, key: str, *, least: int = 0) -> int:
        """An integer that is not below `least`."""
        return self._integer(key, self._get(key), least)

    def integers(self, key: str, *, least: int = 0) -> list[int]:
        """A list of integers that are not below `least`."""
        return [self._integer(key, value, least) for value in self.items(key)]

    def numbers(self, key: str) -> list[float]:
        """A list of finite numbers."""
        return [self._number(key, value) for value in self.items(key)]

    def items(self, key: str) -> list[object]:
        """A list of anything."""
        value = self._get(key)
        if not isinstance(value, list):
            raise self.wrong(key, f"{_kind(value)}; expected a list")
        return value

    def group(self, key: str) -> "Fields":
        """An object of keys."""
        return Fields(self._get(key), f"{self._where}: key {key!r}")

    def _get(self, key: str) -> object:
        if key not in self._values:
            raise UserError(f"{self._where}: key {key!r} is missing")
        return self._values[key]

    def _integer(self, key: str, value: object, least: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, f"{_kind(value)}; expected an integer")
        if not least <= value <= _LARGEST:
            raise self.wrong(key, f"an integer out of range; expected {least} to {_LARGEST}")
        return value

    def _number(self, key: str, value: object) -> float:
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
            return float(value)
        raise self.wrong(key, f"{_kind(value)}; expected finite numbers")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        return str(value)
    for kind, name in _NAMES.items():
        if isinstance(value, kind):
            return name
    return type(value).__name__
