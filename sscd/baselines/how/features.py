"""Local descriptors of sets of pictures, while other processes decode the next ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.data.loading.datasets import InferencePictures
from sscd.data.loading.loader import make_loader
from sscd.data.pictures.groups import PictureGroups, collate_groups, dealt_batches
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError
from sscd.models.describer import Describer
from sscd.models.local_features import local_features
from sscd.terminal import working


@dataclass(frozen=True, eq=False)
class FeatureBatch:
    """The local descriptors of a batch of pictures.

    Attributes:
        positions: Where each picture that could be read stands in its set.
        descriptors: (n, D) float32 of each of them.
        size: Pictures of the batch, with those that could not be read.
    """

    positions: Sequence[int]
    descriptors: Sequence[NDArray[np.float32]]
    size: int


def features_of(
    describer: Describer,
    pictures: Pictures,
    *,
    scales: Sequence[float],
    limit: int,
    skipped: SkipLog,
) -> Iterator[FeatureBatch]:
    """Describe a set, with a progress bar; unreadable pictures are logged and left out.

    Args:
        describer: Of a network with `pooling: attention`.
        pictures: The set.
        scales: Factors of a picture's sides.
        limit: The most descriptors of a picture.
        skipped: Takes note of what cannot be read.

    Raises:
        UserError: A value that the network gives is not finite.
    """
    loader = make_loader(
        InferencePictures(pictures, describer.inference),
        collate_groups,
        workers=describer.workers,
        batch_sampler=list(
            dealt_batches(
                range(len(pictures)), size=describer.batch_size, workers=describer.workers
            )
        ),
    )
    with working(f"describing {pictures.name}", total=len(pictures)) as work:
        for loaded in loader:
            for item in loaded.unreadable:
                skipped.add(item.path, item.reason)
            batch = _describe(describer, loaded, scales=scales, limit=limit)
            for position, descriptors in zip(batch.positions, batch.descriptors, strict=True):
                if not np.isfinite(descriptors).all():
                    raise UserError(
                        f"{pictures.path(position)}: the network gives local descriptors that are "
                        "not finite; give another --checkpoint"
                    )
            yield batch
            work.advance(batch.size)


def _describe(
    describer: Describer, loaded: PictureGroups, *, scales: Sequence[float], limit: int
) -> FeatureBatch:
    found = [
        features.descriptors
        for group in loaded.groups
        for features in local_features(
            describer.network,
            group.to(describer.device, non_blocking=True),
            scales=scales,
            limit=limit,
        )
    ]
    positions = loaded.positions.tolist()
    return FeatureBatch(positions, found, len(positions) + len(loaded.unreadable))


def sampled_features(
    describer: Describer,
    pictures: Pictures,
    *,
    limit: int,
    wanted: int,
    skipped: SkipLog,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Local descriptors at scale 1 to learn words from, as many of each picture as of the next.

    Args:
        describer: Of a network with `pooling: attention`.
        pictures: What to learn from.
        limit: The most descriptors of a picture.
        wanted: About how many in all: pictures with more than their share give a random part.
        skipped: Takes note of what cannot be read.
        seed: Of the parts.

    Returns:
        (n, D), in the order of the pictures, whatever the workers.

    Raises:
        UserError: No picture can be read, or a value that the network gives is not finite.
    """
    share = -(-wanted // max(len(pictures), 1))
    found: dict[int, NDArray[np.float32]] = {}
    for batch in features_of(describer, pictures, scales=(1.0,), limit=limit, skipped=skipped):
        for position, descriptors in zip(batch.positions, batch.descriptors, strict=True):
            draw = np.random.default_rng((seed, position)).permutation(len(descriptors))
            found[position] = descriptors[np.sort(draw[:share])]
    require_pictures(pictures, len(found))
    ends = np.cumsum([len(found[position]) for position in sorted(found)])
    result = np.empty((ends[-1], describer.network.config.dims), np.float32)
    for position, end in zip(sorted(found), ends.tolist(), strict=True):
        own = found.pop(position)  # let go one by one: there may be gigabytes
        result[end - len(own) : end] = own
    return result


def some_pictures(pictures: Pictures, most: int) -> Pictures:
    """At most so many of the pictures, chosen by a stable hash of the name."""
    if len(pictures) <= most:
        return pictures
    order = np.argsort(stable_fractions(pictures.names.tolist(), salt="visual words"))
    return pictures.subset(np.sort(order[:most]))


def require_pictures(pictures: Pictures, read: int) -> None:
    """Check that some pictures of a set could be read.

    Raises:
        UserError: None could.
    """
    if not read:
        first = f", for example {pictures.path(0)}" if len(pictures) else ""
        raise UserError(f"no picture of {pictures.name} can be read{first}; are they pictures?")
