"""Builds an inverted file while the words of pictures arrive, in blocks sorted by word."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.baselines.how.aggregation import PictureWords, signature_width
from sscd.baselines.how.inverted_file import InvertedFile

_BLOCK = 1 << 22
"""Entries that are sorted at once: 100 MB with signatures of 128 bits."""


@dataclass(frozen=True, eq=False)
class _Block:
    """Entries by rising word.

    Attributes:
        counts: (words,) entries of each word.
        pictures: (n,) uint32.
        signatures: (n, W) uint64.
    """

    counts: NDArray[np.int64]
    pictures: NDArray[np.uint32]
    signatures: NDArray[np.uint64]


class InvertedFileBuilder:
    """Takes pictures in any order, each once.

    Args:
        words: How many words there are.
        dims: Bits D of a signature.
        block: Entries that are sorted at once.

    Attributes:
        pictures: The numbers of the pictures that were added.
    """

    def __init__(self, words: int, dims: int, *, block: int = _BLOCK) -> None:
        self.pictures: list[int] = []
        self._words, self._dims, self._block = words, dims, block
        self._waiting: list[PictureWords] = []
        self._owners: list[int] = []
        self._entries = 0
        self._blocks: list[_Block] = []

    def add(self, picture: int, words: PictureWords) -> None:
        """Add a picture, which may have no words.

        Args:
            picture: Its number, at most 4,294,967,295; numbers may have gaps.
            words: Its words, below the builder's.
        """
        self.pictures.append(picture)
        self._waiting.append(words)
        self._owners.append(picture)
        self._entries += len(words)
        if self._entries >= self._block:
            self._sort()

    def finish(self) -> InvertedFile:
        """The file, in which the pictures count from 0 by rising number; ends the building."""
        self._sort()
        numbers = np.sort(np.array(self.pictures, dtype=np.int64))
        ranks = np.zeros(int(numbers[-1]) + 1 if len(numbers) else 0, dtype=np.uint32)
        ranks[numbers] = np.arange(len(numbers))
        counts = sum((block.counts for block in self._blocks), np.zeros(self._words, np.int64))
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        images = np.empty(offsets[-1], np.uint32)
        signatures = np.empty((offsets[-1], signature_width(self._dims)), np.uint64)
        free = offsets[:-1].copy()
        self._blocks.reverse()
        while self._blocks:
            block = self._blocks.pop()  # each is let go when it has its place
            within = np.cumsum(block.counts) - block.counts
            place = np.arange(len(block.pictures)) + np.repeat(free - within, block.counts)
            images[place], signatures[place] = ranks[block.pictures], block.signatures
            free += block.counts
        return InvertedFile(offsets, images, signatures, count=len(numbers), dims=self._dims)

    def _sort(self) -> None:
        """Make a block of the pictures that wait."""
        if not self._entries:
            return
        lengths = [len(own) for own in self._waiting]
        # NumPy sorts 16 bits by radix, several times as fast as 32, and most codebooks fit.
        kind = np.uint16 if self._words <= 1 << 16 else np.uint32
        words = np.concatenate([own.words.astype(kind) for own in self._waiting])
        order = np.argsort(words, kind="stable")
        pictures = np.repeat(np.array(self._owners, dtype=np.uint32), lengths)
        signatures = np.concatenate([own.signatures for own in self._waiting])
        counts = np.bincount(words, minlength=self._words)
        self._blocks.append(_Block(counts, pictures[order], signatures[order]))
        self._waiting, self._owners, self._entries = [], [], 0
