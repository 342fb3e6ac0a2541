"""Groups of pictures whose hashes differ in few bits: exact, and fast for a million."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_PARTS = 4
_PART_BITS = 64 // _PARTS
_LARGEST_DISTANCE = 3 * _PARTS - 1
_PAIRS_A_BLOCK = 4_000_000


def near_duplicate_groups(
    hashes: NDArray[np.uint64],
    *,
    max_distance: int,
    mirrored: NDArray[np.uint64] | None = None,
) -> NDArray[np.int64]:
    """Group hashes that are linked by steps of at most `max_distance` bits.

    Two hashes that differ in at most d bits differ in at most d // 4 bits in one of their four
    16-bit parts at least (the pigeonhole principle behind multi-index hashing: Norouzi, Punjani and
    Fleet 2012), so only pairs that agree that far in a part are compared.

    Args:
        hashes: (n,) 64-bit hashes.
        max_distance: The largest number of bits, at most 11, between linked hashes.
        mirrored: (n,) the hashes of the mirror images. With them i and j are also linked when hash
            i is that near to the mirrored hash j, or the other way round.

    Returns:
        (n,) for each hash the smallest index of its group.

    Raises:
        ValueError: `max_distance` is out of range, or there is not one mirrored hash for each.
    """
    if not 0 <= max_distance <= _LARGEST_DISTANCE:
        raise ValueError(f"got max_distance {max_distance}; expected 0 to {_LARGEST_DISTANCE}")
    if mirrored is not None and mirrored.shape != hashes.shape:
        raise ValueError(f"mirrored.shape got {mirrored.shape}; expected {hashes.shape}")
    own, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    nodes, pictures = own, np.empty((0, 2), dtype=np.int64)
    if mirrored is not None:
        turned, turned_inverse = np.unique(mirrored, return_inverse=True)
        nodes = np.concatenate([own, turned])
        pictures = np.unique(np.stack([inverse, len(own) + turned_inverse], axis=1), axis=0)
    links = _near_links(nodes, max_distance=max_distance, own=len(own))
    # A mirrored hash stands for its pictures where something is near it: alone it links nothing,
    # for two pictures whose mirror images are alike need not be alike themselves.
    met = np.zeros(len(nodes), dtype=bool)
    met[links] = True
    component = _components(len(nodes), np.concatenate([links, pictures[met[pictures[:, 1]]]]))
    smallest = np.full(len(nodes), len(hashes), dtype=np.int64)
    np.minimum.at(smallest, component[: len(own)], first)
    return smallest[component][inverse]


def _near_links(nodes: NDArray[np.uint64], *, max_distance: int, own: int) -> NDArray[np.int64]:
    """The (m, 2) pairs of nodes that are near, of which the first is one of the first `own`."""
    links = [np.empty((0, 2), dtype=np.int64)]
    for part in range(min(_PARTS, max_distance + 1)):  # d < 4 bits spare one of d + 1 parts
        for block in _links(nodes, part, max_distance):
            ordered = np.sort(block, axis=1)
            links.append(ordered[ordered[:, 0] < own])
    return np.concatenate(links)


def _links(hashes: NDArray[np.uint64], part: int, max_distance: int) -> Iterator[NDArray[np.int64]]:
    """Yield (m, 2) pairs within `max_distance` that agree in a part but for its // 4 bits."""
    shift = np.uint64(part * _PART_BITS)
    parts = ((hashes >> shift) & np.uint64((1 << _PART_BITS) - 1)).astype(np.int64)
    order = np.argsort(parts, kind="stable")
    ordered, values = parts[order], hashes[order]
    position = np.arange(len(order))
    for mask in _masks(max_distance // _PARTS):
        wanted = ordered ^ mask
        start = np.searchsorted(ordered, wanted, side="left")
        stop = np.searchsorted(ordered, wanted, side="right")
        start = np.maximum(start, position + 1)  # each pair once, from its first member
        counts = np.maximum(stop - start, 0)
        for low, high in _blocks(counts):
            sizes = counts[low:high]
            left = np.repeat(position[low:high], sizes)
            steps = np.arange(len(left)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            right = np.repeat(start[low:high], sizes) + steps
            near = np.bitwise_count(values[left] ^ values[right]) <= max_distance
            yield np.stack([order[left[near]], order[right[near]]], axis=1)


def _masks(flips: int) -> list[int]:
    chosen = [bits for count in range(flips + 1) for bits in combinations(range(_PART_BITS), count)]
    return [sum(1 << bit for bit in bits) for bits in chosen]


def _blocks(counts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut the rows so that a block has few pairs, or one row."""
    ends = np.cumsum(counts)
    low = 0
    while low < len(counts) and (low == 0 or ends[low - 1] < ends[-1]):
        done = ends[low - 1] if low else 0
        high = int(np.searchsorted(ends, done + _PAIRS_A_BLOCK, side="right"))
        high = max(high, low + 1)
        yield low, high
        low = high


def _components(size: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Label nodes by the smallest node of their component: hook roots together, then shorten."""
    label = np.arange(size)
    while len(links):
        a, b = label[links[:, 0]], label[links[:, 1]]
        open_ = a != b
        links, a, b = links[open_], a[open_], b[open_]
        np.minimum.at(label, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(label, label[label]):
            label = label[label]
    return label
