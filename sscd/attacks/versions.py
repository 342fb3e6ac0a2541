"""What attacked pictures were made with."""

from importlib.metadata import version

from sscd import __version__


def versions() -> dict[str, str]:
    """The versions of this package and of the libraries that compute and save."""
    return {"sscd": __version__} | {name: version(name) for name in ("torch", "numpy", "pillow")}
