import numpy as np
import pytest

from sscd.evaluation.string_ids import Ids, distinct_ids, encode_ids, id_text


def random_names(rng: np.random.Generator, count: int) -> list[str]:
    """Names of 0 to 20 letters out of two, so that many agree in their first eight or sixteen."""
    return ["".join(rng.choice(list("ab"), int(rng.integers(0, 21)))) for _ in range(count)]


def test_numbers_are_equal_where_the_names_are() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        shared = ["prefix-of-one-word-and-more", ""][int(rng.integers(2))]
        names = [shared + name for name in random_names(rng, 30)]
        also = [shared + name for name in random_names(rng, 10)] + names[:3]
        for ids in (names, np.array(names), np.array(names, dtype=np.bytes_)):
            codes, more = encode_ids(ids, also=also)
            numbers, everyone = [*codes.tolist(), *more.tolist()], names + also
            assert len(set(numbers)) == len(set(everyone))
            assert len(set(zip(numbers, everyone, strict=True))) == len(set(everyone))


def test_names_come_back() -> None:
    rng = np.random.default_rng(1)
    names = random_names(rng, 200)
    for ids in (names, np.array(names), np.array(names, dtype=np.bytes_)):
        distinct, codes = distinct_ids(ids)
        assert [distinct[code] for code in codes] == names
        assert len(set(distinct)) == len(distinct)


def test_bytes_are_read_as_utf8() -> None:
    names = ["Ö1", "Ö2"]
    encoded = np.array([name.encode() for name in names])
    assert distinct_ids(encoded)[0] == names
    assert encode_ids(encoded, also=["Ö2"])[1].tolist() == [1]
    assert id_text(b"\xff1") == "\\xff1"


def test_every_other_row_of_an_array() -> None:
    ids = np.array([b"Q1", b"x", b"Q2", b"x", b"Q1"])[::2]
    assert encode_ids(ids)[0].tolist() == [0, 1, 0]


def test_none_at_all() -> None:
    kinds: tuple[Ids, ...] = ([], np.array([], dtype="S4"), np.array([], dtype=np.str_))
    for ids in kinds:
        codes, more = encode_ids(ids, also=["R1"])
        assert (len(codes), more.tolist()) == (0, [0])
        assert distinct_ids(ids)[0] == []


def test_refuses_what_would_equal_nothing() -> None:
    with pytest.raises(ValueError, match="ids of bytes"):
        encode_ids([b"Q1"], also=["Q1"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="ids of bytes"):
        encode_ids(np.array([b"Q1"], dtype=object), also=["Q1"])
    with pytest.raises(ValueError, match="ids of int"):
        distinct_ids(np.arange(3))  # type: ignore[arg-type]
