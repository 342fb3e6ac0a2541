import numpy as np
import pytest
from PIL import Image

from sscd.augment.augly import mends
from sscd.augment.augly.library import augly_image

DROP = "AugLy can do {} now: drop the mend"


def _raises(name: str) -> bool:
    try:
        getattr(augly_image(), name)(Image.new("RGB", (400, 400)))
    except AttributeError:
        return True
    return False


def test_auglys_meme_format_still_fails() -> None:
    assert _raises("meme_format"), DROP.format("meme_format")


def test_auglys_perspective_transform_still_fails() -> None:
    assert _raises("perspective_transform"), DROP.format("perspective_transform")


def test_augly_still_has_neither_legofy_nor_collage() -> None:
    assert not hasattr(augly_image(), "legofy"), DROP.format("legofy")
    assert not hasattr(augly_image(), "collage"), DROP.format("collage")


def _meme(size: tuple[int, int], text: str, caption_height: int) -> Image.Image:
    return mends.meme_format(
        Image.new("RGB", size, (9, 200, 9)),
        text=text,
        font="Impact.ttf",
        caption_height=caption_height,
        text_color=(0, 0, 0),
        background=(255, 255, 255),
    )


@pytest.mark.parametrize("text", ["LOL", "one does not simply", "g,y\nÄ(j", "|"])
@pytest.mark.parametrize("size", [(200, 120), (90, 200), (60, 400)])
def test_a_memes_text_fits_and_is_in_the_middle(text: str, size: tuple[int, int]) -> None:
    meme = _meme(size, text, 50)
    assert meme.size == (size[0], size[1] + 50)
    rows, columns = np.nonzero(np.asarray(meme.convert("L"))[:50] < 128)
    assert 2 <= rows.min() <= rows.max() < 48
    assert 2 <= columns.min() <= columns.max() < size[0] - 2
    assert (rows.min() + rows.max()) / 2 == pytest.approx(24.5, abs=2)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(size[0] / 2, abs=2)
    assert (np.asarray(meme)[50:] == (9, 200, 9)).all()


def test_a_meme_without_room_has_no_text() -> None:
    assert _meme((2, 9), "no room at all", 3).getcolors() == [
        (6, (255, 255, 255)),
        (18, (9, 200, 9)),
    ]


def _corner_marks() -> Image.Image:
    image = Image.new("RGB", (100, 80), (128, 128, 128))
    for color, box in (
        ((255, 0, 0), (0, 0, 20, 20)),
        ((0, 255, 0), (80, 0, 100, 20)),
        ((0, 0, 255), (80, 60, 100, 80)),
        ((255, 255, 0), (0, 60, 20, 80)),
    ):
        image.paste(color, box)
    return image


def test_a_perspective_takes_corners_where_they_are_told() -> None:
    corners = ((10.0, 5.0), (95.0, 15.0), (85.0, 75.0), (5.0, 60.0))
    seen = mends.perspective_transform(_corner_marks(), corners=corners, fill=(1, 2, 3))
    for (x, y), expected in zip(
        ((12, 8), (92, 18), (83, 71), (8, 58)),
        ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)),
        strict=True,
    ):
        assert np.abs(np.asarray(seen, dtype=int)[y, x] - expected).max() < 40
    assert seen.getpixel((0, 0)) == (1, 2, 3)
    numbers = Image.fromarray(np.arange(1, 8001, dtype=np.int32).reshape(80, 100))
    moved = mends.perspective_transform(numbers, corners=corners, fill=0)
    assert set(np.asarray(moved).ravel().tolist()) <= set(range(8001))
    outside = (np.asarray(seen) == (1, 2, 3)).all(axis=2)
    assert (outside == (np.asarray(moved) == 0)).mean() > 0.98


@pytest.mark.parametrize(
    "corners",
    [
        ((0.0, 0.0), (10.0, 0.0), (2.0, 2.0), (0.0, 10.0)),
        ((0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, 0.0)),
        ((0.0, 0.0), (10.0, 0.0), (10.0, 0.0), (0.0, 10.0)),
        ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0)),
    ],
)
def test_corners_that_cross_are_refused(corners: mends.Corners) -> None:
    with pytest.raises(ValueError, match="expected a convex quadrilateral"):
        mends.perspective_transform(Image.new("RGB", (10, 10)), corners=corners, fill=(0, 0, 0))


def test_bricks_have_the_average_color_and_a_stud_lit_from_the_top_left() -> None:
    noise = np.random.default_rng(0).integers(60, 160, (60, 80, 3), dtype=np.uint8)
    built = np.asarray(mends.legofy(Image.fromarray(noise), brick=20), dtype=float)
    twin = noise.astype(float).reshape(3, 20, 4, 20, 3).mean((1, 3))
    # Between stud and seam the brick's own colour is seen.
    plain = built[1::20, 9::20]
    assert np.abs(plain - twin).max() <= 2
    assert (built[5::20, 5::20] > plain + 10).all()
    assert (built[14::20, 14::20] < plain - 10).all()
    assert (built[0::20, 9::20] < plain - 5).all()


@pytest.mark.parametrize(
    ("size", "brick"), [((1, 1), 1), ((3, 200), 8), ((97, 53), 7), ((4, 4), 9)]
)
def test_bricks_fill_pictures_of_any_size(size: tuple[int, int], brick: int) -> None:
    assert mends.legofy(Image.new("RGB", size), brick=brick).size == size


def test_a_collage_puts_each_picture_into_its_box() -> None:
    pictures = [Image.new("RGB", (30, 10), (255, 0, 0)), Image.new("RGB", (5, 50), (0, 0, 255))]
    boxes = [(2, 2, 12, 18), (14, 2, 28, 18)]
    laid = np.asarray(mends.collage((30, 20), pictures, boxes, gap=(7, 7, 7)))
    assert (laid[2:18, 2:12] == (255, 0, 0)).all()
    assert (laid[2:18, 14:28] == (0, 0, 255)).all()
    assert (laid == (7, 7, 7)).all(axis=2).sum() == 600 - 160 - 224
