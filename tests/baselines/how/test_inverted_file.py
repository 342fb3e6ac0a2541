import numpy as np
import pytest

import sscd.baselines.how.inverted_file
from sscd.baselines.how.building import InvertedFileBuilder
from sscd.baselines.how.codebook import Codebook
from sscd.baselines.how.inverted_file import InvertedFile
from sscd.baselines.how.selectivity import Selectivity
from tests.baselines.how.naive import Floats, Setting, random_pictures, signs_by_word, similarity

SIZES = [7, 0, 30, 1, 12, 25]


def built(codebook: Codebook, pictures: list[Floats], *, block: int = 1 << 22) -> InvertedFile:
    builder = InvertedFileBuilder(codebook.words, codebook.dims, block=block)
    for number, words in enumerate(codebook.words_of(pictures, assignments=1)):
        builder.add(number, words)
    return builder.finish()


@pytest.mark.parametrize("dims", [5, 64, 130])
@pytest.mark.parametrize(
    "setting",
    [Setting(), Setting(assignments=5), Setting(1.0, 0.3, 3), Setting(2.5, 0.0, 2)],
    ids=str,
)
def test_scores_equal_those_of_the_naive_twin(dims: int, setting: Setting) -> None:
    codebook = Codebook(random_pictures(1, [15], dims)[0])
    pictures = random_pictures(2, SIZES, dims)
    queries = random_pictures(3, [20, 0, 3], dims)
    references = built(codebook, pictures)
    selectivity = Selectivity(setting.alpha, setting.threshold)
    known = [signs_by_word(picture, codebook.centroids, 1) for picture in pictures]
    words = codebook.words_of(queries, assignments=setting.assignments)
    positive = 0
    for query, own in zip(queries, words, strict=True):
        signs = signs_by_word(query, codebook.centroids, setting.assignments)
        expected = [similarity(signs, other, setting) for other in known]
        assert references.scores(own, selectivity) == pytest.approx(expected, abs=1e-12)
        positive += sum(score > 0 for score in expected)
    assert positive >= 5


def test_a_picture_scores_one_with_itself_and_most() -> None:
    codebook = Codebook(random_pictures(1, [15], 32)[0])
    pictures = random_pictures(2, [30, 30, 30], 32)
    references = built(codebook, pictures)
    for number, words in enumerate(codebook.words_of(pictures, assignments=1)):
        scores = references.scores(words, Selectivity())
        assert scores[number] == pytest.approx(1)
        assert scores.argmax() == number


@pytest.mark.parametrize("entries", [1, 3, 50])
def test_lists_may_be_compared_in_parts(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    codebook = Codebook(random_pictures(1, [15], 8)[0])
    references = built(codebook, random_pictures(2, SIZES, 8))
    (words,) = codebook.words_of(random_pictures(3, [20], 8), assignments=5)
    expected = references.scores(words, Selectivity())
    assert expected.max() > 0
    monkeypatch.setattr(sscd.baselines.how.inverted_file, "_ENTRIES", entries)
    assert references.scores(words, Selectivity()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("block", [1, 10, 1 << 22])
def test_a_file_built_in_blocks_is_the_same(block: int) -> None:
    codebook = Codebook(random_pictures(1, [15], 8)[0])
    whole, parts = (
        built(codebook, random_pictures(2, SIZES, 8), block=size) for size in (1 << 22, block)
    )
    assert parts.count == len(SIZES)
    assert parts.offsets.tolist() == whole.offsets.tolist()
    assert parts.images.tolist() == whole.images.tolist()
    assert parts.signatures.tolist() == whole.signatures.tolist()
    assert parts.lengths.tolist() == whole.lengths.tolist()
    assert parts.lengths[1] == 0
    for first, last in zip(parts.offsets[:-1], parts.offsets[1:], strict=True):
        assert (np.diff(parts.images[first:last].astype(int)) > 0).all()


def test_pictures_count_by_rising_number_in_whatever_order_they_come() -> None:
    codebook = Codebook(random_pictures(1, [15], 8)[0])
    words = codebook.words_of(random_pictures(2, SIZES, 8), assignments=1)
    numbers = [40, 7, 3, 90, 8, 5]
    builder = InvertedFileBuilder(codebook.words, 8, block=10)
    for number, own in zip(numbers, words, strict=True):
        builder.add(number, own)
    file = builder.finish()
    lengths = [len(words[numbers.index(number)]) for number in sorted(numbers)]
    assert file.lengths.tolist() == lengths
    assert sorted(builder.pictures) == sorted(numbers)
    for place, number in enumerate(sorted(numbers)):
        own = words[numbers.index(number)]
        assert file.scores(own, Selectivity())[place] == pytest.approx(1 if len(own) else 0)


def test_more_words_than_sixteen_bits_hold() -> None:
    builder = InvertedFileBuilder(70_000, 4)
    codebook = Codebook(np.zeros((70_000, 4), np.float32))
    (own,) = codebook.words_of([np.ones((1, 4), np.float32)], assignments=1)
    for number, word in enumerate((69_999, 3, 65_536, 3)):
        builder.add(number, type(own)(np.array([word]), own.signatures))
    file = builder.finish()
    assert file.images.tolist() == [1, 3, 2, 0]
    query = type(own)(np.array([3, 65_536]), np.repeat(own.signatures, 2, axis=0))
    assert file.scores(query, Selectivity()) == pytest.approx([0, 0.5**0.5, 0.5**0.5, 0.5**0.5])


def test_no_picture_at_all() -> None:
    file = InvertedFileBuilder(3, 4).finish()
    assert (file.count, file.words, len(file.images)) == (0, 3, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": [0, 2, 1, 3]}, "offsets fall"),
        ({"offsets": [0, 1, 2, 4]}, "0 to the 3 entries"),
        ({"offsets": [1, 1, 2, 3]}, "0 to the 3 entries"),
        ({"offsets": [0]}, "0 to the 3 entries"),
        ({"images": [0, 1, 2]}, "images hold 2; expected numbers below 2"),
        ({"dims": 65}, "signatures got shape"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, object], message: str) -> None:
    fields = {"offsets": [0, 1, 2, 3], "images": [0, 1, 1], "dims": 64} | change
    with pytest.raises(ValueError, match=message):
        InvertedFile(
            np.array(fields["offsets"], np.int64),
            np.array(fields["images"], np.uint32),
            np.zeros((3, 1), np.uint64),
            count=2,
            dims=int(str(fields["dims"])),
        )
