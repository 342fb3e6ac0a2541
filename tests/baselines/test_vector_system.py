from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.baselines.vector_system import VectorSystem, normalised_pairs
from sscd.data.descriptors import Descriptors
from sscd.data.records import ImageSet, Pictures
from sscd.errors import UserError
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.projection import ProjectionKind

Rows = NDArray[np.float32]
NORM = Neighbourhood(0.5, 2, 2)


def naive_normalised(
    queries: Rows, references: Rows, training: Rows, norm: Neighbourhood
) -> NDArray[np.float64]:
    """Equation 2 of the DISC21 paper over minus squared distances, pair by pair."""
    scores = np.empty((len(queries), len(references)))
    for i, query in enumerate(queries.astype(np.float64)):
        similar = sorted((-float(((query - t) ** 2).sum()) for t in training), reverse=True)
        known = np.mean(similar[norm.first : norm.last + 1])
        for j, reference in enumerate(references):
            scores[i, j] = -float(((query - reference) ** 2).sum()) - norm.weight * known
    return scores


def rows(seed: int, count: int, dims: int = 6, *, unit: bool = False) -> Rows:
    values = np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True) if unit else values


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("norm", [NORM, Neighbourhood(2.0, 0, 3), Neighbourhood(0.0, 1, 1)])
def test_normalised_pairs_are_those_of_equation_2(unit: bool, norm: Neighbourhood) -> None:
    queries, references, training = (rows(s, n, unit=unit) for s, n in ((0, 7), (1, 9), (2, 12)))
    found = normalised_pairs(queries, references, training, norm=norm, limit=20, device="cpu")
    naive = naive_normalised(queries, references, training, norm)
    best = np.sort(naive.ravel())[::-1][:20]
    np.testing.assert_allclose(found.scores, best, atol=2e-4 if not unit else 2e-5)
    np.testing.assert_allclose(
        naive[found.query, found.reference], found.scores, atol=2e-4 if not unit else 2e-5
    )


def test_a_query_like_the_training_pictures_falls_behind() -> None:
    training = np.tile(np.eye(1, 4, dtype=np.float32), (3, 1))
    queries = np.stack([training[0], np.eye(4, dtype=np.float32)[3]])
    references = np.eye(4, dtype=np.float32)[[0, 3]]
    found = normalised_pairs(
        queries, references, training, norm=Neighbourhood(1.0, 0, 0), limit=2, device="cpu"
    )
    # s = −‖q − r‖²: both copies have 0, and only the second query is far from the training set: 2.
    assert (found.query[0], found.reference[0]) == (1, 1)
    assert (found.query[1], found.reference[1]) == (0, 0)
    np.testing.assert_allclose(found.scores, [2, 0], atol=1e-6)


def test_too_few_training_pictures_are_one_line() -> None:
    with pytest.raises(UserError, match=r"needs 10 training pictures, got 3"):
        normalised_pairs(
            rows(0, 2), rows(1, 2), rows(2, 3), norm=Neighbourhood(0.5, 9, 9), limit=1, device="cpu"
        )


class Slices:
    """Rows that can be had by slices alone, and how many were asked for at once."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.most = rows, 0

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows.shape

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, wanted: slice, /) -> Rows:
        found = self.rows[wanted]
        self.most = max(self.most, len(found))
        return found


def test_references_are_read_in_blocks() -> None:
    references = Slices(rows(1, 70_000, 2))
    queries, training = rows(0, 2, 2), rows(2, 12, 2)
    found = normalised_pairs(queries, references, training, norm=NORM, limit=3, device="cpu")
    plain = normalised_pairs(queries, references.rows, training, norm=NORM, limit=3, device="cpu")
    assert found.reference.tolist() == plain.reference.tolist()
    assert 0 < references.most < 70_000


class Table:
    """A describer that looks descriptors up by the name of the set."""

    def __init__(self, sets: dict[str, Rows]) -> None:
        self.sets = sets
        self.asked: list[str] = []

    def __call__(self, pictures: Pictures) -> Descriptors:
        self.asked.append(pictures.name)
        return Descriptors(pictures.ids, self.sets[pictures.name])


def named(name: str, count: int) -> ImageSet:
    names: Sequence[str] = [f"{name}{number}.jpg" for number in range(count)]
    return ImageSet.from_names(name, root=Path(), names=names)


def system(describe: Table, *, dims: int = 6, kind: ProjectionKind | None = None) -> VectorSystem:
    return VectorSystem(
        "a", describe, dims=dims, norm=NORM, hardware="none", projection=kind, device="cpu"
    )


def test_a_system_learns_indexes_and_searches() -> None:
    references = rows(1, 8)
    queries = references[[3, 5]] + np.float32(0.01)
    table = Table({"training": rows(0, 30), "references": references, "queries": queries})
    one = system(table)
    one.learn(named("training", 30))
    one.index(named("references", 8))
    found = one.search(named("queries", 2), limit=4)
    assert list(found.query_ids) == ["queries0", "queries1"]
    assert set(zip(found.plain.query[:2], found.plain.reference[:2], strict=True)) == {
        (0, 3),
        (1, 5),
    }
    naive = naive_normalised(queries, references, table.sets["training"], NORM)
    np.testing.assert_allclose(found.normalised.scores, np.sort(naive.ravel())[::-1][:4], atol=2e-4)
    assert list(one.reference_ids) == [f"references{n}" for n in range(8)]
    assert one.watch.pictures == 40
    assert table.asked == ["training", "references", "queries"]


def test_the_projection_is_learnt_on_training_pictures_alone() -> None:
    table = Table({name: rows(seed, 20) for seed, name in enumerate(("training", "queries"))})
    one = system(table, dims=3, kind="pca")
    one.learn(named("training", 20))
    described = one.describe(named("queries", 20)).vectors[:]
    assert described.shape == (20, 3)
    centred = table.sets["training"] - table.sets["training"].mean(axis=0)
    _, _, axes = np.linalg.svd(centred.astype(np.float64))
    expected = (table.sets["queries"] - table.sets["training"].mean(axis=0)) @ axes[:3].T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(described), np.abs(expected), atol=1e-5)


def test_a_search_before_the_index_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="after learn"):
        system(Table({})).search(named("queries", 1), limit=1)
