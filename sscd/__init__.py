"""Self-supervised descriptors for image copy detection: train, judge and ship them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sscd.api import Descriptor

__all__ = ["Descriptor", "__version__"]

__version__ = "0.1.0"


# Not seen by type checkers, for whom any name would be there.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # torch takes seconds to import; it waits until somebody asks.
        if name == "Descriptor":
            from sscd.api import Descriptor

            return Descriptor
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
