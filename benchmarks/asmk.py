"""The search of an inverted file with binary signatures, on random pictures as large as they come.

`python -m benchmarks.asmk --large` searches 100,000 pictures of 300 words each among 65,536 words
with 1,000 queries of 300 local descriptors for 5 words each, and gives the time and the memory.
"""

import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import by_turns, seconds
from sscd.baselines.how.aggregation import PictureWords
from sscd.baselines.how.building import InvertedFileBuilder
from sscd.baselines.how.inverted_file import InvertedFile
from sscd.baselines.how.ranking import Ranker
from sscd.baselines.how.selectivity import Selectivity
from sscd.search.pairs import CHALLENGE_LIMIT
from sscd.search.postprocessing.neighbourhood import Neighbourhood

WORDS, DIMS, PICTURE_WORDS, QUERY_WORDS = 65_536, 128, 300, 1500
PICTURES, LARGE_PICTURES, QUERIES, PLAIN_QUERIES = 30_000, 100_000, 1000, 2
TRAINING = 1000

Lists = dict[int, list[tuple[int, int]]]
"""Word → (picture, signature) of its entries, as one would write it down."""


def run() -> str:
    """Lines: what a query takes here and with dictionaries and lists, and the ratio."""
    rng = np.random.default_rng(0)
    file = _build(rng, PICTURES)
    queries = _queries(rng, 20)
    lists = _lists(file, queries[:PLAIN_QUERIES])
    check = np.abs(_plain_scores(lists, queries[0], PICTURES) - file.scores(queries[0], _SIGMA))
    ours, plain = by_turns(
        [
            lambda: [file.scores(query, _SIGMA) for query in queries],
            lambda: [_plain_scores(lists, query, PICTURES) for query in queries[:PLAIN_QUERIES]],
        ],
        rounds=3,
    )
    ours, plain = ours / len(queries), plain / PLAIN_QUERIES
    return (
        f"ASMK, a query of {QUERY_WORDS:,} words against {PICTURES:,} pictures of {PICTURE_WORDS}, "
        f"{WORDS:,} words, one thread: {1e3 * ours:.1f} ms; dictionaries and lists "
        f"{1e3 * plain:.0f} ms, {plain / ours:.0f} times as long; scores differ by "
        f"{check.max():.0e} at most"
    )


def run_large() -> str:
    """Lines: building and searching, with normalisation, and the memory of this process."""
    rng = np.random.default_rng(0)
    before = _peak()
    start = time.perf_counter()
    file = _build(rng, LARGE_PICTURES)
    built = time.perf_counter() - start
    training, queries = _build(rng, TRAINING), _queries(rng, QUERIES)
    file.lengths, training.lengths  # noqa: B018
    threads = torch.get_num_threads()
    alone = seconds(lambda: [file.scores(query, _SIGMA) for query in queries[:100]], repeats=3)
    with ThreadPoolExecutor(threads) as pool:
        together = seconds(
            lambda: list(pool.map(lambda query: file.scores(query, _SIGMA), queries[:100])),
            repeats=3,
        )
    start = time.perf_counter()
    ranker = Ranker.build(
        file,
        training,
        queries=QUERIES,
        selectivity=_SIGMA,
        norm=Neighbourhood(2.0, 9, 9),
        limit=CHALLENGE_LIMIT,
    )
    ranker.add(list(enumerate(queries)), threads=threads)
    plain, _ = ranker.pairs(np.arange(QUERIES))
    searched = time.perf_counter() - start
    size = (file.offsets.nbytes + file.images.nbytes + file.signatures.nbytes) / 2**20
    return "\n".join(
        [
            f"{LARGE_PICTURES:,} pictures of {PICTURE_WORDS} words: {size:,.0f} MiB, built in "
            f"{built:.0f} s (the random words among it)",
            f"scores of a query: {10 * alone:.1f} ms on one thread, {10 * together:.1f} ms on "
            f"{threads}",
            f"the best {len(plain.scores):,} pairs of {QUERIES:,} queries, without and with "
            f"normalisation by {TRAINING:,} pictures: {searched:.1f} s",
            f"memory at most {_peak():,.0f} MiB, {before:,.0f} MiB before",
        ]
    )


_SIGMA = Selectivity()


def _build(rng: np.random.Generator, pictures: int) -> InvertedFile:
    builder = InvertedFileBuilder(WORDS, DIMS)
    for number in range(pictures):
        builder.add(number, _random_words(rng, PICTURE_WORDS))
    return builder.finish()


def _queries(rng: np.random.Generator, count: int) -> list[PictureWords]:
    return [_random_words(rng, QUERY_WORDS) for _ in range(count)]


def _random_words(rng: np.random.Generator, count: int) -> PictureWords:
    words = np.sort(rng.choice(WORDS, count, replace=False, shuffle=False))
    return PictureWords(words, rng.integers(0, 2**64, (count, DIMS // 64), dtype=np.uint64))


def _lists(file: InvertedFile, queries: list[PictureWords]) -> Lists:
    """Only the lists that the queries look at."""
    lists: Lists = {}
    for word in np.concatenate([query.words for query in queries]).tolist():
        own = slice(file.offsets[word], file.offsets[word + 1])
        rows = zip(file.images[own].tolist(), file.signatures[own].tolist(), strict=True)
        lists[word] = [(picture, row[0] | row[1] << 64) for picture, row in rows]
    return lists


def _plain_scores(lists: Lists, query: PictureWords, pictures: int) -> NDArray[np.float64]:
    scores = [0.0] * pictures
    for word, row in zip(query.words.tolist(), query.signatures.tolist(), strict=True):
        own = row[0] | row[1] << 64
        for picture, signature in lists[word]:
            cosine = 1 - 2 * (own ^ signature).bit_count() / DIMS
            if cosine > 0:
                scores[picture] += cosine**3
    return np.array([score / (len(query) * PICTURE_WORDS) ** 0.5 for score in scores])


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    print(run_large() if "--large" in sys.argv else run())  # noqa: T201
