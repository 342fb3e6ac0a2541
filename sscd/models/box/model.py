"""The network that commands and `Descriptor.load()` take where none is named."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.loading import load_network

VARIABLE = "SSCD_MODEL"
"""Environment variable that names another file in its place."""

_FILE = "model.safetensors"


def box_is_there() -> bool:
    """Whether there is a network where none is named."""
    return bool(os.environ.get(VARIABLE)) or _in_package().is_file()


def load_box() -> TrainedNetwork:
    """Load the network that comes with the package, or the one that `SSCD_MODEL` names.

    Raises:
        UserError: This installation has none, or the file cannot be used.
    """
    with box_file() as file:
        return load_network(file)


@contextmanager
def box_file() -> Iterator[Path]:
    """The file of that network, as long as the block lasts: a package may lie in an archive.

    Raises:
        UserError: This installation has none.
    """
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise UserError(f"{VARIABLE}={named} is not a file; name one, or unset {VARIABLE}")
        yield Path(named)
        return
    if not _in_package().is_file():
        raise UserError(
            "pictures are described by a network, and this installation has no model in the box; "
            "give --checkpoint FILE (in Python, Descriptor.load(FILE))"
        )
    with resources.as_file(_in_package()) as file:
        yield file


def box_name() -> str:
    """What a person is told of where that network comes from."""
    named = os.environ.get(VARIABLE)
    return f"{VARIABLE}={named}" if named else "the model in the box"


def _in_package() -> Traversable:
    return resources.files(__package__).joinpath(_FILE)
