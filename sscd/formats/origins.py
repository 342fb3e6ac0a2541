"""What made the descriptors of a file, as attributes; files of two models are told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.formats.track2.hdf5 import Attribute

_NAMES = {
    "model": "model_fingerprint",
    "preprocessing": "preprocessing",
    "postprocessing": "postprocessing_fingerprint",
}
"""Field of `Origin` → attribute on a file's root."""


def origin_attributes(origin: Origin) -> dict[str, Attribute]:
    """The attributes that say where descriptors come from; none for what is unknown."""
    values = {name: getattr(origin, field) for field, name in _NAMES.items()}
    return {name: value for name, value in values.items() if value}


def origin_of(attributes: Mapping[str, Any]) -> Origin:
    """What a file's attributes say of where its descriptors come from; empty where they do not."""
    return Origin(**{field: str(attributes.get(name, "")) for field, name in _NAMES.items()})


def common_origin(origins: Sequence[tuple[Path, Origin]]) -> Origin:
    """The origin that files share.

    Args:
        origins: At least one (file, its origin); the files are queries, references, or parts.

    Raises:
        UserError: Two of them differ; also where one is unknown and the other is not.
    """
    path, origin = origins[0]
    for other_path, other in origins[1:]:
        for field in (f.name for f in fields(Origin)):
            mine, theirs = getattr(origin, field), getattr(other, field)
            if mine != theirs:
                raise UserError(
                    f"{path} has {field} {mine or 'unknown'} and {other_path} {field} "
                    f"{theirs or 'unknown'}: their distances mean nothing; describe both pictures "
                    "with one checkpoint and the same options"
                )
    return origin
