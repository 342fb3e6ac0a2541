"""AugLy itself: how it is imported, and what its functions do to global state.

AugLy needs libmagic, which `pylibmagic` carries and makes findable when it is imported first. Both
are imported inside the functions, so that the package imports where they are absent.
"""

import contextlib
import functools
from collections.abc import Iterator
from types import ModuleType

import numpy as np

from sscd.errors import UserError


@functools.cache
def augly_image() -> ModuleType:
    """The module `augly.image`.

    Raises:
        UserError: It cannot be imported.
    """
    with contextlib.suppress(ImportError):  # without it, the system may have libmagic
        import pylibmagic  # noqa: F401
    try:
        import augly.image
    except ImportError as error:
        raise UserError(
            f"AugLy cannot be imported ({error}); run: pip install 'sscd[train]'"
        ) from error
    module: ModuleType = augly.image
    return module


@contextlib.contextmanager
def global_random_state_kept() -> Iterator[None]:
    """Put NumPy's global random state back afterwards: some of AugLy's functions seed it."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
