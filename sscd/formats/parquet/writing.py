"""Descriptors as Parquet, in one file or in numbered parts: id, descriptor, model fingerprint."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.data.descriptors import Origin

ID, DESCRIPTOR, MODEL = "id", "descriptor", "model_fingerprint"
METADATA = b"sscd"
REQUEST_FILE = "describe.json"
"""What a directory of parts is of, beside them."""
FORMAT = "sscd-descriptors"
VERSION = 1
ROW_GROUP = 16_384
"""Rows of a group, which is what readers read at once: 16 MiB of 256-d float32."""

_PART_NAME = re.compile(r"part-(\d{5,})-of-(\d{5,})\.parquet")


@dataclass(frozen=True)
class PartInfo:
    """What a file says of itself.

    Attributes:
        origin: What made the descriptors.
        dims: Their length.
        partition: Which part of the source this is, from 0.
        partitions: How many there are.
        source: Where the pictures came from.
        pictures: How many the partition has.
        unreadable: How many of them could not be described.
    """

    origin: Origin
    dims: int
    partition: int
    partitions: int
    source: str
    pictures: int
    unreadable: int


def part_name(partition: int, partitions: int) -> str:
    """The file of a partition.

    >>> part_name(3, 245)
    'part-00003-of-00245.parquet'
    """
    return f"part-{partition:05d}-of-{partitions:05d}.parquet"


def parse_part_name(name: str) -> tuple[int, int] | None:
    """The partition and their number that a file's name says; None for other names."""
    match = _PART_NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


def encode_part(ids: Sequence[str], vectors: NDArray[np.float32], info: PartInfo) -> bytes:
    """Make a Parquet file: the same bytes for the same content.

    Columns: `id` (string), `descriptor` (list of D float32, none of them null) and
    `model_fingerprint` (dictionary of strings).

    Args:
        ids: n ids.
        vectors: (n, D).
        info: What it says of itself, in the metadata of the file.

    Raises:
        ValueError: Ids, vectors and info do not fit.
    """
    import pyarrow as pa
    from pyarrow import parquet

    if vectors.shape != (len(ids), info.dims):
        raise ValueError(f"got vectors {vectors.shape}; expected {(len(ids), info.dims)}")
    descriptor = pa.list_(pa.field("item", pa.float32(), nullable=False), info.dims)
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    model = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(len(ids), dtype=np.int32)), pa.array([info.origin.model], pa.string())
    )
    schema = pa.schema(
        [
            pa.field(ID, pa.string(), nullable=False),
            pa.field(DESCRIPTOR, descriptor, nullable=False),
            pa.field(MODEL, model.type, nullable=False),
        ],
        metadata={METADATA: json.dumps({"format": FORMAT, "version": VERSION, **asdict(info)})},
    )
    columns = [
        pa.array(list(ids), pa.string()),
        pa.FixedSizeListArray.from_arrays(flat, type=descriptor),
        model,
    ]
    buffer = io.BytesIO()
    parquet.write_table(
        pa.Table.from_arrays(columns, schema=schema),
        buffer,
        row_group_size=ROW_GROUP,
        compression="none",  # float32 noise does not shrink
        use_dictionary=[MODEL],
        write_page_checksum=True,
    )
    return buffer.getvalue()


def decode_info(metadata: Any) -> PartInfo | None:
    """What a file says of itself; None for one that others wrote.

    Args:
        metadata: Of the schema: bytes to bytes, or None.

    Raises:
        ValueError: It is of another version, or broken.
    """
    if not metadata or METADATA not in metadata:
        return None
    table = json.loads(metadata[METADATA])
    try:
        kind, version = table.pop("format"), table.pop("version")
        if (kind, version) != (FORMAT, VERSION):
            raise ValueError(f"it is {kind} {version}; this version reads {FORMAT} {VERSION}")
        return PartInfo(origin=Origin(**table.pop("origin")), **table)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"its metadata is broken ({error})") from error
