"""The parts of an evaluation file, read and checked: nothing in it is believed."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from sscd.data.descriptors import Origin
from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.candidates import Candidates
from sscd.evaluation.edit_records import Operations
from sscd.evaluation.figures import CopyFigures
from sscd.evaluation.json_fields import Fields
from sscd.evaluation.judged import Judged
from sscd.evaluation.macro_ap import macro_ap
from sscd.evaluation.marking import mark_correct
from sscd.evaluation.metrics import recall_at_precision, recall_at_rank
from sscd.evaluation.protocol import Evaluation, ListKind

VERSION = 1
_KINDS: tuple[ListKind, ...] = get_args(ListKind)
_SHARES = ("micro_ap", "macro_ap", "recall_at_p90", "recall_at_1", "recall_at_10")
_COUNTS = ("queries", "true_pairs", "unlisted_queries", "missing_queries", "missing_pairs")


@dataclass(frozen=True)
class About:
    """What an evaluation file says of its system, without the candidates.

    Attributes:
        system: Its name, and so on: as in `Judged`.
        figures: Of each kind of list.
        warnings: Of each kind of list.
    """

    system: str
    data: str
    origin: Origin
    query_pictures: str
    reference_pictures: str
    facts: Mapping[str, str]
    truth: GroundTruth
    edits: Mapping[str, Operations] | None
    figures: Mapping[ListKind, CopyFigures]
    warnings: Mapping[str, tuple[str, ...]]

    def judged(self, kind: str, candidates: Candidates, reference_ids: list[str]) -> Judged:
        """The system with one of its lists."""
        known = next(one for one in _KINDS if one == kind)
        return Judged(
            system=self.system,
            data=self.data,
            evaluation=Evaluation(
                self.figures[known], candidates, reference_ids, known, self.warnings.get(kind, ())
            ),
            truth=self.truth,
            edits=self.edits,
            origin=self.origin,
            query_pictures=self.query_pictures,
            reference_pictures=self.reference_pictures,
            facts=self.facts,
        )


def read_about(path: Path, text: object) -> About:
    """Read the JSON of an evaluation file.

    Raises:
        UserError: It is not JSON, of another version, or a key is missing or wrong.
    """
    try:
        value = json.loads(text) if isinstance(text, str | bytes) else None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: 'about' is not JSON; write the file again") from error
    fields = Fields(value, f"{path}: about")
    if (version := fields.integer("version")) != VERSION:
        raise fields.wrong("version", f"{version}; this program reads {VERSION}")
    origin = fields.group("origin")
    figures, warnings = fields.group("figures"), fields.group("warnings")
    present = figures.names()
    if not present or set(present) - set(_KINDS):
        raise fields.wrong("figures", f"{sorted(present)}; expected some of {', '.join(_KINDS)}")
    return About(
        system=fields.text("system"),
        data=fields.text("data"),
        origin=Origin(*(origin.text(k) for k in ("model", "preprocessing", "postprocessing"))),
        query_pictures=fields.text("query_pictures"),
        reference_pictures=fields.text("reference_pictures"),
        facts={key: fields.group("facts").text(key) for key in fields.group("facts").names()},
        truth=_truth(fields),
        edits=_edits(fields),
        figures={kind: _figures(figures.group(kind)) for kind in _KINDS if kind in present},
        warnings={kind: tuple(warnings.texts(kind)) for kind in present},
    )


def _truth(fields: Fields) -> GroundTruth:
    pairs = []
    for pair in fields.items("pairs"):
        if not isinstance(pair, list) or [type(part) for part in pair] != [str, str]:
            raise fields.wrong("pairs", f"{str(pair)[:60]}; expected [query id, reference id]")
        pairs.append((pair[0], pair[1]))
    listed = None if fields.is_null("listed") else frozenset(fields.texts("listed"))
    if not pairs:
        raise fields.wrong("pairs", "none; expected at least one true pair")
    return GroundTruth(frozenset(pairs), listed)


def _edits(fields: Fields) -> dict[str, Operations] | None:
    if fields.is_null("edits"):
        return None
    edits = fields.group("edits")
    return {query: tuple(edits.texts(query)) for query in edits.names()}


def _figures(fields: Fields) -> CopyFigures:
    shares: dict[str, Any] = {key: fields.number(key) for key in _SHARES}
    for key, share in shares.items():
        if not 0 <= share <= 1 + 1e-9:
            raise fields.wrong(key, f"{share}; expected a share")
    threshold = "threshold_at_p90"
    counts: dict[str, Any] = {key: fields.integer(key) for key in _COUNTS}
    return CopyFigures(
        **shares,
        **counts,
        threshold_at_p90=math.inf if fields.is_null(threshold) else fields.number(threshold),
        references=None if fields.is_null("references") else fields.integer("references"),
        protocol=fields.text("protocol"),
    )


def candidates_from(
    path: Path, group: Any, kind: str, truth: GroundTruth
) -> tuple[Candidates, list[str]]:
    """Read a list of candidates, and mark them by the ground truth.

    Returns:
        The candidates, and the ids of the references that they count.

    Raises:
        UserError: Its parts do not fit one another.
        KeyError: A part is missing.
        ValueError: A pair is there twice.
    """
    query_ids, reference_ids = tuple(_texts(group["query_ids"])), _texts(group["reference_ids"])
    query, reference = _places(group["query"]), _places(group["reference"])
    scores, counts = np.asarray(group["score"][()]), _places(group["true_counts"])
    fault = _fault(query_ids, reference_ids, query, reference, scores, counts, truth)
    if fault:
        raise UserError(f"{path}: the list {kind!r} {fault}; write the file again")
    row = {name: place for place, name in enumerate(reference_ids)}
    number = {name: place for place, name in enumerate(query_ids)}
    true = [(number[q], row[r]) for q, r in truth.pairs if r in row]
    correct = mark_correct(query, reference, truth=np.array(true, dtype=np.int64).reshape(-1, 2))
    return Candidates(query_ids, query, reference, scores, correct, counts), reference_ids


def check_figures(path: Path, kind: str, figures: CopyFigures, candidates: Candidates) -> None:
    """Check that figures are those of the candidates: a report shows both.

    Raises:
        UserError: One is not.
    """
    query, scores, correct = candidates.query, candidates.scores, candidates.correct
    true_pairs, curve = candidates.true_pairs, candidates.curve()
    recall, threshold = recall_at_precision(curve, 0.9)
    counted = {
        "micro_ap": curve.average_precision(),
        "macro_ap": macro_ap(query, scores, correct, true_counts=candidates.true_counts),
        "recall_at_p90": recall,
        "threshold_at_p90": threshold if math.isfinite(threshold) else math.inf,
        "recall_at_1": recall_at_rank(query, scores, correct, rank=1, true_pairs=true_pairs),
        "recall_at_10": recall_at_rank(query, scores, correct, rank=10, true_pairs=true_pairs),
        "true_pairs": true_pairs,
    }
    for key, value in counted.items():
        told = getattr(figures, key)
        if not math.isclose(told, value, rel_tol=1e-6, abs_tol=1e-9):
            raise UserError(
                f"{path}: the list {kind!r} has {key} {value:.6g}, and the file says {told:.6g}; "
                "write the file again"
            )


def _texts(dataset: Any) -> list[str]:
    texts = np.asarray(
        dataset.asstr(errors="surrogateescape")[()] if hasattr(dataset, "asstr") else None
    )
    if texts.ndim != 1:
        raise ValueError(f"{dataset.name} has shape {texts.shape}; expected a list of texts")
    return [str(text) for text in texts]


def _places(dataset: Any) -> NDArray[np.int64]:
    values = np.asarray(dataset[()])
    if values.dtype.kind not in "iu":
        raise ValueError(f"{dataset.name} holds {values.dtype}; expected integers")
    return values.astype(np.int64)


def _fault(
    query_ids: tuple[str, ...],
    reference_ids: list[str],
    query: NDArray[np.int64],
    reference: NDArray[np.int64],
    scores: NDArray[Any],
    counts: NDArray[np.int64],
    truth: GroundTruth,
) -> str:
    if len({query.shape, reference.shape, scores.shape}) != 1 or scores.ndim != 1:
        return f"has {query.shape} queries, {reference.shape} references, {scores.shape} scores"
    if scores.dtype.kind != "f" or np.isnan(scores).any():
        return "has scores that are no numbers"
    for name, places, ids in (("query", query, query_ids), ("reference", reference, reference_ids)):
        if len(set(ids)) != len(ids):
            return f"has a {name} id twice"
        if places.size and not 0 <= places.min() <= places.max() < len(ids):
            return f"has a {name} out of range"
    known = dict.fromkeys(query_ids, 0)
    for asked, _ in truth.pairs:
        if asked not in known:
            return f"lacks query {asked[:60]!r} of the ground truth"
        known[asked] += 1
    return "" if list(known.values()) == counts.tolist() else "has counts unlike the ground truth's"
