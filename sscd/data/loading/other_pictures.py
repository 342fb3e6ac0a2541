"""Training pictures that lie under and beside the views of others."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sscd.augment.seeds import view_rng
from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import Pictures
from sscd.data.shards.pictures import ShardedPictures
from sscd.errors import UserError

# Pictures of shards are taken in runs, so that few shards must be fetched.
_RUN = 64
_MAX_SUBSTITUTES = 100


@dataclass(eq=False)
class OtherPictures:
    """Some training pictures, others in each epoch, each decoded once by a process.

    Which one a view shows follows from the seed, the epoch and the view's own random stream. It is
    no content of the view, as it is none of a query (DISC21 paper, section 4.2): of those in a
    batch few show one another, and a network should look past them.

    Attributes:
        images: The training pictures.
        count: How many of them an epoch has; all where there are no more.
        side: Their short side, in pixels; smaller ones are not enlarged.
        seed: Of the training.
        epoch: Whose pictures are drawn from.
    """

    images: Pictures
    count: int
    side: int
    seed: int
    epoch: int = 0
    _chosen: NDArray[np.int64] | None = field(default=None, init=False, repr=False)
    _kept: dict[int, Image.Image] = field(default_factory=dict, init=False, repr=False)

    def of(self, epoch: int) -> "OtherPictures":
        """These pictures, in that epoch."""
        if epoch != self.epoch:
            self.epoch, self._chosen = epoch, None
        return self

    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        """Draw one: its id, and the picture, RGB, not to be changed.

        Raises:
            UserError: Neither it nor any of the next hundred can be read.
        """
        if self._chosen is None:
            self._chosen = self._choose()
            chosen = set(self._chosen.tolist())
            self._kept = {i: picture for i, picture in self._kept.items() if i in chosen}
        index = int(self._chosen[rng.integers(len(self._chosen))])
        if index not in self._kept:
            self._kept[index] = self._load(index)
        return self.images.id(index), self._kept[index]

    def _choose(self) -> NDArray[np.int64]:
        """The numbers of the epoch's pictures."""
        whole = len(self.images)
        run = _RUN if isinstance(self.images, ShardedPictures) else 1
        runs, wanted = -(-whole // run), -(-min(self.count, whole) // run)
        stream = view_rng(seed=self.seed, epoch=self.epoch, image_id="others", view=0)
        starts = run * stream.choice(runs, wanted, replace=False)
        numbers = (starts[:, None] + np.arange(run)).ravel()
        return numbers[numbers < whole][: self.count].astype(np.int64)

    def _load(self, first: int) -> Image.Image:
        """The picture, or the next one that can be read: a broken one is named in its own turn."""
        problems: list[UnreadableImage] = []
        for step in range(min(_MAX_SUBSTITUTES, len(self.images))):
            index = (first + step) % len(self.images)
            try:
                source, name = self.images.source(index), str(self.images.path(index))
                return _within(load_image(source, draft=self.side, name=name), self.side)
            except UnreadableImage as error:
                problems.append(error)
        raise UserError(
            f"{problems[0].path} and the {len(problems) - 1} pictures after it cannot be read "
            f"({problems[0].reason}); check that the data set is complete and its disk is there"
        )


def _within(picture: Image.Image, side: int) -> Image.Image:
    scale = side / min(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(whole * scale)) for whole in picture.size)
    return picture.resize((width, height), Image.Resampling.BILINEAR)
