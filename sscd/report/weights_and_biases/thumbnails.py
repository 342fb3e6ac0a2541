"""Small pictures of some queries and references."""

from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import ImageSet

SIDE = 128


@dataclass(frozen=True)
class PictureSets:
    """Where the pictures of a report are.

    Attributes:
        queries: Its queries.
        references: Its references.
    """

    queries: ImageSet
    references: ImageSet


def thumbnails(
    images: ImageSet, ids: Iterable[str], *, side: int = SIDE
) -> dict[str, Image.Image | None]:
    """Some pictures, small.

    Args:
        images: The set.
        ids: Which; ids that it does not have are left out.
        side: Longest side, in pixels.

    Returns:
        Id → RGB picture; None for one that cannot be read.
    """
    wanted = set(ids)
    return {
        image_id: _thumbnail(images, place, side)
        for place, image_id in enumerate(images.ids)
        if image_id in wanted
    }


def _thumbnail(images: ImageSet, place: int, side: int) -> Image.Image | None:
    try:
        picture = load_image(images.source(place), draft=side)
    except UnreadableImage:
        return None
    picture.thumbnail((side, side))
    return picture
