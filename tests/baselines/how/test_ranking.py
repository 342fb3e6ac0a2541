import numpy as np
import pytest

from sscd.baselines.how.codebook import Codebook
from sscd.baselines.how.ranking import Ranker
from sscd.baselines.how.selectivity import Selectivity
from sscd.search.pairs import Pairs
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from tests.baselines.how.naive import Setting, random_pictures, signs_by_word, similarity
from tests.baselines.how.test_inverted_file import built

NORM = Neighbourhood(2.0, 1, 2)


def as_list(pairs: Pairs) -> list[tuple[int, int, float]]:
    return list(
        zip(pairs.query.tolist(), pairs.reference.tolist(), pairs.scores.tolist(), strict=True)
    )


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_the_best_pairs_equal_those_of_the_naive_twin(limit: int) -> None:
    rng = np.random.default_rng(5)
    codebook = Codebook(random_pictures(1, [15], 64)[0])
    queries, references, training = (
        random_pictures(seed, [*rng.integers(1, 20, count).tolist(), 0], 64)
        for seed, count in ((2, 9), (3, 14), (4, 6))
    )
    references += references[:2]  # ties
    signs = [
        [signs_by_word(picture, codebook.centroids, k) for picture in pictures]
        for pictures, k in ((queries, 2), (references, 1), (training, 1))
    ]
    plain, normalised = [], []
    for row, query in enumerate(signs[0]):
        known = sorted((similarity(query, other, Setting()) for other in signs[2]), reverse=True)
        for number, other in enumerate(signs[1]):
            if (score := similarity(query, other, Setting())) > 0:
                plain.append((row, number, float(np.float32(score))))
                shifted = score - 2.0 * (known[1] + known[2]) / 2
                normalised.append((row, number, float(np.float32(shifted))))
    ranker = Ranker.build(
        built(codebook, references),
        built(codebook, training),
        queries=20,
        selectivity=Selectivity(),
        norm=NORM,
        limit=limit,
    )
    # Rows have a gap, for a query that could not be read, and do not come in order.
    words = list(enumerate(codebook.words_of(queries, assignments=2)))
    numbered = [(row + (row > 3), own) for row, own in words][::-1]
    ranker.add(numbered[:4], threads=2)
    ranker.add(numbered[4:], threads=2)
    rows = np.array(sorted(row for row, _ in numbered))
    assert len(plain) > 20
    for found, expected in zip(ranker.pairs(rows), (plain, normalised), strict=True):
        assert found.query.dtype == found.reference.dtype == np.int64
        assert found.scores.dtype == np.float32
        listed = as_list(found)
        best = sorted(expected, key=lambda pair: (-pair[2], *pair[:2]))[:limit]
        assert [pair[:2] for pair in listed] == [pair[:2] for pair in best]
        assert [pair[2] for pair in listed] == pytest.approx([pair[2] for pair in best], abs=1e-6)


def test_numbers_that_make_no_sense_are_refused() -> None:
    codebook = Codebook(random_pictures(1, [15], 8)[0])
    file = built(codebook, random_pictures(2, [3, 3], 8))
    for limit, message in ((0, "limit=0"), (5, "2 training pictures")):
        with pytest.raises(ValueError, match=message):
            Ranker.build(file, file, queries=1, selectivity=Selectivity(), norm=NORM, limit=limit)
