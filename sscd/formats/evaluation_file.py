"""A judged system in a file: `evaluation.h5`, from which reports are made without searching again.

HDF5 with a scalar text `about` (JSON: names, origin, figures, ground truth, edits) and a group for
each list of candidates, `neighbours`, `global` or `predictions`, which holds `query` and
`reference` (n places in `query_ids` and `reference_ids`), `score` and `true_counts`.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sscd.errors import UserError
from sscd.evaluation.judged import Judged
from sscd.files import atomic_path
from sscd.formats.evaluation_reading import (
    VERSION,
    About,
    candidates_from,
    check_figures,
    read_about,
)
from sscd.formats.track2.hdf5 import reading_hdf5

KEY = "about"


def write_evaluations(path: Path, judged: Sequence[Judged]) -> None:
    """Write one system's evaluations, each of another kind of list; the file appears when complete.

    Args:
        path: The file.
        judged: One or more, equal but for their evaluation.

    Raises:
        UserError: The file cannot be written.
        ValueError: There is none, or two are of one kind.
    """
    import h5py

    kinds = [one.evaluation.kind for one in judged]
    if not kinds or len(set(kinds)) != len(kinds):
        raise ValueError(f"got evaluations of {kinds}; expected at least one, each of its own kind")
    content = io.BytesIO()  # on a full disk HDF5 fails in its own words, or takes Python with it
    with h5py.File(content, "w") as handle:
        handle[KEY] = json.dumps(_about(judged))
        for one in judged:
            _write_list(handle.create_group(one.evaluation.kind), one)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def is_evaluation_file(path: Path) -> bool:
    """Whether an HDF5 file holds an evaluation.

    Raises:
        UserError: It cannot be read as HDF5.
    """
    with reading_hdf5(path) as handle:
        return KEY in handle and "query" not in handle


def read_evaluations(path: Path) -> tuple[Judged, ...]:
    """Read what `write_evaluations` has written, in its order.

    Raises:
        UserError: The file is missing, damaged, of a later version, or contradicts itself.
    """
    import h5py

    none = (
        f"{path}: holds no evaluation; `sscd evaluate FILE --ground_truth CSV --output "
        "evaluation.h5` writes one"
    )
    if path.is_file() and not h5py.is_hdf5(path):
        raise UserError(none)
    with reading_hdf5(path, what="an evaluation, as `sscd evaluate --output` writes") as handle:
        if KEY not in handle:
            raise UserError(none)
        about = read_about(path, handle[KEY][()])
        return tuple(_read_list(path, handle, kind, about) for kind in about.figures)


def _about(judged: Sequence[Judged]) -> dict[str, Any]:
    first = judged[0]
    truth = first.truth
    return {
        "version": VERSION,
        "system": first.system,
        "data": first.data,
        "origin": asdict(first.origin),
        "query_pictures": first.query_pictures,
        "reference_pictures": first.reference_pictures,
        "facts": dict(first.facts),
        "figures": {one.evaluation.kind: one.evaluation.figures.as_json() for one in judged},
        "warnings": {one.evaluation.kind: list(one.evaluation.warnings) for one in judged},
        "pairs": sorted(truth.pairs),
        "listed": None if truth.listed is None else sorted(truth.listed),
        "edits": None if first.edits is None else {k: list(v) for k, v in first.edits.items()},
    }


def _write_list(group: Any, judged: Judged) -> None:
    import h5py

    evaluation, text = judged.evaluation, h5py.string_dtype()
    candidates = evaluation.candidates
    rows, places = np.unique(candidates.reference, return_inverse=True)
    names = [evaluation.reference_ids[row] for row in rows.tolist()]
    for key, ids in (("query_ids", candidates.query_ids), ("reference_ids", names)):
        # Names of files need not be text (PEP 383).
        encoded = [name.encode("utf-8", "surrogateescape") for name in ids]
        group.create_dataset(key, data=np.array(encoded, dtype=object), dtype=text)
    packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    for name, values in (
        ("query", candidates.query.astype(np.int32)),
        ("reference", places.astype(np.int32)),
        ("score", candidates.scores),
        ("true_counts", candidates.true_counts.astype(np.int32)),
    ):
        group.create_dataset(name, data=values, **(packed if len(values) else {}))


def _read_list(path: Path, handle: Any, kind: str, about: About) -> Judged:
    if kind not in handle:
        raise UserError(f"{path}: the list {kind!r} is missing; write the file again")
    judged = about.judged(kind, *candidates_from(path, handle[kind], kind, about.truth))
    check_figures(path, kind, judged.evaluation.figures, judged.evaluation.candidates)
    return judged
