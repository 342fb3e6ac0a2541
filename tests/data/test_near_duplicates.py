import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.data import near_duplicates
from sscd.data.near_duplicates import near_duplicate_groups


def _by_brute_force(
    hashes: NDArray[np.uint64], max_distance: int, mirrored: NDArray[np.uint64] | None = None
) -> list[int]:
    """Spread the smallest index over all pairs until nothing changes."""
    values = hashes.tolist()
    turned = None if mirrored is None else mirrored.tolist()

    def near(i: int, j: int) -> bool:
        pairs = [(values[i], values[j])]
        if turned is not None:
            pairs += [(values[i], turned[j]), (values[j], turned[i])]
        return any((a ^ b).bit_count() <= max_distance for a, b in pairs)

    labels = list(range(len(values)))
    changed = True
    while changed:
        changed = False
        for i in range(len(values)):
            for j in range(len(values)):
                if labels[j] < labels[i] and near(i, j):
                    labels[i] = labels[j]
                    changed = True
    return labels


def _clustered(rng: np.random.Generator, count: int, flips: int) -> NDArray[np.uint64]:
    """Hashes that descend from one another by a few flipped bits."""
    hashes = [int(rng.integers(0, 2**64, dtype=np.uint64))]
    while len(hashes) < count:
        parent = hashes[int(rng.integers(len(hashes)))]
        for bit in rng.integers(0, 64, int(rng.integers(flips + 1))).tolist():
            parent ^= 1 << bit
        hashes.append(parent)
    return np.array(hashes, dtype=np.uint64)


@pytest.mark.parametrize("max_distance", range(12))
def test_equal_to_brute_force(max_distance: int) -> None:
    for seed in range(4):
        rng = np.random.default_rng((max_distance, seed))
        hashes = _clustered(rng, 60, flips=2 * max_distance + 2)
        expected = _by_brute_force(hashes, max_distance)
        assert near_duplicate_groups(hashes, max_distance=max_distance).tolist() == expected


_ODD_COLUMNS = np.uint64(0x5555555555555555)


@pytest.mark.parametrize("max_distance", range(0, 12, 2))
def test_mirror_images_equal_to_brute_force(max_distance: int) -> None:
    for seed in range(6):
        rng = np.random.default_rng((max_distance, seed))
        hashes = _clustered(rng, 40, flips=3 * max_distance + 2)
        # Some are copies of another's mirror image; a median makes the relation inexact.
        turned = hashes ^ _ODD_COLUMNS ^ (np.uint64(1) << rng.integers(0, 64, 40, dtype=np.uint64))
        which = rng.integers(0, 40, 12)
        hashes[rng.integers(0, 40, 12)] = turned[which]
        turned[rng.integers(0, 40, 3)] = turned[0]
        groups = near_duplicate_groups(hashes, max_distance=max_distance, mirrored=turned)
        assert groups.tolist() == _by_brute_force(hashes, max_distance, turned)
        plain = near_duplicate_groups(hashes, max_distance=max_distance)
        assert len(np.unique(groups)) <= len(np.unique(plain))


def test_a_mirror_image_links_and_equal_mirror_images_alone_do_not() -> None:
    hashes = np.array([0b1111, 2**40, 2**50 - 1], dtype=np.uint64)
    mirrored = np.array([2**60 - 1, 0b1110, 2**60 - 1], dtype=np.uint64)
    linked = near_duplicate_groups(hashes, max_distance=1, mirrored=mirrored)
    assert linked.tolist() == [0, 0, 2]
    assert near_duplicate_groups(hashes, max_distance=0, mirrored=mirrored).tolist() == [0, 1, 2]


def test_each_hash_needs_its_mirror_image() -> None:
    hashes = np.array([1, 2], dtype=np.uint64)
    with pytest.raises(ValueError, match=r"mirrored\.shape got \(1,\)"):
        near_duplicate_groups(hashes, max_distance=1, mirrored=hashes[:1])


def test_blocks_do_not_change_the_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = _clustered(np.random.default_rng(0), 300, flips=12)
    whole = near_duplicate_groups(hashes, max_distance=5)
    monkeypatch.setattr(near_duplicates, "_PAIRS_A_BLOCK", 7)
    np.testing.assert_array_equal(whole, near_duplicate_groups(hashes, max_distance=5))


def test_a_chain_is_one_group_and_a_gap_splits_it() -> None:
    chain = np.array([0b0, 0b1, 0b11, 0b111, 0b11111], dtype=np.uint64)
    assert near_duplicate_groups(chain, max_distance=1).tolist() == [0, 0, 0, 0, 4]
    assert near_duplicate_groups(chain, max_distance=2).tolist() == [0] * 5


def test_equal_hashes_are_a_group_at_distance_0() -> None:
    hashes = np.array([5, 9, 5, 2**63, 9, 5], dtype=np.uint64)
    assert near_duplicate_groups(hashes, max_distance=0).tolist() == [0, 1, 0, 3, 1, 0]


def test_no_hashes_and_one_hash() -> None:
    assert near_duplicate_groups(np.array([], dtype=np.uint64), max_distance=4).tolist() == []
    assert near_duplicate_groups(np.array([7], dtype=np.uint64), max_distance=4).tolist() == [0]


@pytest.mark.parametrize("distance", [-1, 12])
def test_a_distance_out_of_range_is_an_error(distance: int) -> None:
    with pytest.raises(ValueError, match="expected 0 to 11"):
        near_duplicate_groups(np.array([1], dtype=np.uint64), max_distance=distance)
