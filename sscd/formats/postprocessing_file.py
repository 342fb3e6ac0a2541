"""What was fitted for a descriptor file, beside it: `track2.h5` → `track2.h5.postprocessing.npz`.

The descriptor file itself holds the four datasets of track 2 and nothing else.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.files import atomic_path

_SETTINGS = "settings"
_SUFFIX = ".postprocessing.npz"


def postprocessing_path(path: Path) -> Path:
    """Where the post-processing of a descriptor file lies; such a file itself is its own."""
    return path if path.name.endswith(_SUFFIX) else path.with_name(f"{path.name}{_SUFFIX}")


def write_postprocessing(
    path: Path, settings: Mapping[str, str], arrays: Mapping[str, NDArray[np.float32]]
) -> Path:
    """Write settings and arrays beside a descriptor file; returns where.

    Raises:
        UserError: The file cannot be written.
    """
    target = postprocessing_path(path)
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        named: dict[str, Any] = {_SETTINGS: np.array(json.dumps(dict(settings))), **arrays}
        np.savez(file, **named)
    return target


def read_postprocessing(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read settings and arrays of a descriptor file, or the file beside it itself.

    Raises:
        UserError: There is none, or it is damaged.
    """
    source = postprocessing_path(path)
    if not source.is_file():
        raise UserError(
            f"{source}: no such file; `sscd export` writes it where descriptors are post-processed"
        )
    try:
        with np.load(source, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        settings = json.loads(str(arrays.pop(_SETTINGS)))
        if not isinstance(settings, dict):
            raise ValueError("its settings are no table")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{source} is damaged ({reason}); export again") from error
    return settings, arrays
