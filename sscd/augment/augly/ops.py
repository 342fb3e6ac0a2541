"""AugLy behind functions of explicit parameters: overlays, and what is done to single pixels."""

from typing import Literal

from PIL import Image, ImageFilter

from sscd.augment.augly import assets
from sscd.augment.augly.library import augly_image, global_random_state_kept

StripeKind = Literal["solid", "dashed", "dotted"]
EdgeFilter = Literal["edge_enhance", "edge_enhance_more"]

_WHITE = (255, 255, 255)


def overlay_text(
    image: Image.Image,
    *,
    font: str,
    characters: tuple[int, ...],
    size: float,
    opacity: float,
    color: tuple[int, int, int],
    x: float,
    y: float,
) -> Image.Image:
    """Write characters over a picture.

    AugLy drops the alpha channel of its text when the picture has none, so that every text comes
    out opaque; here it draws opaque text, and the result is blended with the picture.

    Args:
        image: RGB picture.
        font: One of `assets.font_names()`.
        characters: Indices into the font's list of printable characters, modulo its length.
        size: Height of the letters over the short side, in (0, 1].
        opacity: 0 leaves the picture as it is, 1 is opaque.
        color: RGB, 0 to 255.
        x: Left end of the text over the picture's width, in [0, 1].
        y: Top of the text over the picture's height, in [0, 1].

    Returns:
        A new RGB picture of the same size.
    """
    printable = assets.printable_indices(font)
    # FreeType refuses size 0, which AugLy would ask for on a thumbnail.
    size = min(1.0, max(size, 1.01 / min(image.size)))
    written: Image.Image = augly_image().overlay_text(
        image,
        text=[printable[index % len(printable)] for index in characters],
        font_file=str(assets.font_path(font)),
        font_size=size,
        opacity=1.0,
        color=color,
        x_pos=x,
        y_pos=y,
    )
    return written if opacity >= 1 else Image.blend(image, written, opacity)


def overlay_emoji(
    image: Image.Image, *, emoji: str, size: float, opacity: float, x: float, y: float
) -> Image.Image:
    """Lay an emoji over a picture.

    Args:
        image: RGB picture.
        emoji: One of `assets.emoji_names()`.
        size: Height of the emoji over the picture's height, in (0, 1].
        opacity: 0 is invisible, 1 opaque.
        x: Left edge of the emoji over the picture's width, in [0, 1].
        y: Top edge of the emoji over the picture's height, in [0, 1].

    Returns:
        A new RGB picture of the same size.
    """
    overlaid: Image.Image = augly_image().overlay_image(
        image,
        overlay=assets.emoji_picture(emoji),
        opacity=opacity,
        overlay_size=size,
        x_pos=x,
        y_pos=y,
    )
    return overlaid


def emoji_opacity(
    size: tuple[int, int], *, emoji: str, height: float, opacity: float, x: float, y: float
) -> Image.Image:
    """How opaque an emoji that `overlay_emoji` lays over a picture is, at each pixel.

    Args:
        size: Width and height of the picture.
        emoji: As in `overlay_emoji`, and so are the others.
        height: The `size` of `overlay_emoji`.
        opacity: As there.
        x: As there.
        y: As there.

    Returns:
        Mode L, 0 to 255.
    """
    shape = Image.new("RGBA", assets.emoji_picture(emoji).size, _WHITE)
    shape.putalpha(assets.emoji_picture(emoji).getchannel("A"))
    overlaid: Image.Image = augly_image().overlay_image(
        Image.new("RGB", size),
        overlay=shape,
        opacity=opacity,
        overlay_size=height,
        x_pos=x,
        y_pos=y,
    )
    return overlaid.convert("L")


def overlay_stripes(
    image: Image.Image,
    *,
    width: float,
    density: float,
    angle: float,
    kind: StripeKind,
    color: tuple[int, int, int],
    opacity: float,
) -> Image.Image:
    """Draw parallel stripes over a picture.

    Args:
        image: RGB picture.
        width: Width of a stripe over the distance from one to the next, in [0, 1].
        density: 1 − the distance from one stripe to the next over the short side, in [0, 1).
        angle: Degrees from the horizontal.
        kind: Solid lines, dashes or dots.
        color: RGB, 0 to 255.
        opacity: 0 leaves the picture as it is, 1 is opaque.

    Returns:
        A new RGB picture of the same size.
    """
    striped: Image.Image = augly_image().overlay_stripes(
        image,
        line_width=width,
        line_color=color,
        line_angle=angle,
        line_density=density,
        line_type=kind,
        line_opacity=opacity,
    )
    return striped


def random_noise(image: Image.Image, *, deviation: float, seed: int) -> Image.Image:
    """Add independent Gaussian noise to each pixel and channel.

    Args:
        image: RGB picture.
        deviation: Standard deviation, where white is 1.
        seed: Of the noise.
    """
    with global_random_state_kept():
        noisy: Image.Image = augly_image().random_noise(image, var=deviation**2, seed=seed)
    return noisy


def shuffle_pixels(image: Image.Image, *, share: float, seed: int) -> Image.Image:
    """Exchange a share of the pixels among each other, all over the picture.

    Args:
        image: RGB picture.
        share: Of the pixels, in [0, 1].
        seed: Of the choice.
    """
    width, height = image.size
    # AugLy loses a dimension of one pixel.
    thick = image.resize((max(width, 2), max(height, 2)), Image.Resampling.NEAREST)
    with global_random_state_kept():
        shuffled: Image.Image = augly_image().shuffle_pixels(thick, factor=share, seed=seed)
    return shuffled.crop((0, 0, width, height))


def enhance_edges(image: Image.Image, *, kind: EdgeFilter) -> Image.Image:
    """Filter a picture by one of Pillow's two 3×3 kernels that stress edges."""
    kernel = {
        "edge_enhance": ImageFilter.EDGE_ENHANCE,
        "edge_enhance_more": ImageFilter.EDGE_ENHANCE_MORE,
    }[kind]
    enhanced: Image.Image = augly_image().apply_pil_filter(image, filter_type=kernel)
    return enhanced


def encode_jpeg(image: Image.Image, *, quality: int) -> Image.Image:
    """Encode a picture as a JPEG of `quality` (0 to 100, 4:2:0) and decode it."""
    encoded: Image.Image = augly_image().encoding_quality(image, quality=quality)
    return encoded
