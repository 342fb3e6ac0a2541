"""OpenCV, imported on first use and kept to one thread.

A process that is forked while OpenCV's thread pool runs, as a loader's workers are, waits for ever
for threads that it does not have. Work on single pictures gains nothing from the pool.
"""

import functools
import importlib
import importlib.util
from typing import Any

from sscd.errors import UserError


@functools.cache
def has_opencv() -> bool:
    """Whether OpenCV is installed."""
    return importlib.util.find_spec("cv2") is not None


@functools.cache
def opencv() -> Any:
    """The module `cv2`.

    Raises:
        UserError: It cannot be imported.
    """
    try:
        cv2: Any = importlib.import_module("cv2")
    except ImportError as error:
        raise UserError(
            f"OpenCV cannot be imported ({error}); run: pip install 'sscd[train]'"
        ) from error
    cv2.setNumThreads(1)
    return cv2
