"""Operations on one picture: PIL RGB in, PIL RGB out, every parameter explicit.

Those that change the geometry also take pictures of mode I (whole numbers, say of regions), which
they resample by nearest neighbour, so that no number appears that was not there. Crop and colour
follow torchvision's transforms on PIL pictures, without importing torchvision.
"""

import math

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

Box = tuple[int, int, int, int]
Color = tuple[int, int, int]

_RIGHT_ANGLES = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def random_resized_crop_box(
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
    scale: tuple[float, float],
    ratio: tuple[float, float],
) -> Box:
    """Choose the crop of torchvision's `RandomResizedCrop`.

    Area uniform in `scale`, aspect ratio log-uniform in `ratio`, ten attempts, then the largest
    central crop of an allowed ratio.

    Args:
        rng: Source of randomness.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
        scale: Range of the crop's area over the picture's.
        ratio: Range of the crop's width over its height.

    Returns:
        (left, top, right, bottom) in pixels.
    """
    log_low, log_high = math.log(ratio[0]), math.log(ratio[1])
    for _ in range(10):
        area = width * height * rng.uniform(*scale)
        aspect = math.exp(rng.uniform(log_low, log_high))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
            return left, top, left + w, top + h
    aspect = min(max(width / height, ratio[0]), ratio[1])
    w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
    w, h = max(w, 1), max(h, 1)
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def resize(image: Image.Image, *, width: int, height: int) -> Image.Image:
    """Resize to (width, height), bicubic with antialiasing."""
    return image.resize((width, height), _resampling(image, Image.Resampling.BICUBIC))


def horizontal_flip(image: Image.Image) -> Image.Image:
    """Mirror left and right."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vertical_flip(image: Image.Image) -> Image.Image:
    """Mirror top and bottom."""
    return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def rotate_right_angle(image: Image.Image, *, degrees: int) -> Image.Image:
    """Rotate by 90, 180 or 270 degrees anticlockwise, losing nothing.

    Raises:
        ValueError: Another angle.
    """
    if degrees not in _RIGHT_ANGLES:
        raise ValueError(f"degrees got {degrees}; expected 90, 180 or 270")
    return image.transpose(_RIGHT_ANGLES[degrees])


def rotate_filled(image: Image.Image, *, degrees: float, fill: Color | int) -> Image.Image:
    """Rotate by any angle on a canvas that holds it all; corners take the colour `fill`."""
    method = _resampling(image, Image.Resampling.BILINEAR)
    return image.rotate(degrees, method, expand=True, fillcolor=fill)


def rotate_in_place(image: Image.Image, *, degrees: float, box: Box | None = None) -> Image.Image:
    """Rotate by any angle within the picture's own frame; corners come out black.

    Args:
        image: The picture.
        degrees: Anticlockwise.
        box: What of the rotated picture is wanted, in pixels; the rest is not computed.
    """
    left, top, right, bottom = box or (0, 0, *image.size)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across, down = image.width / 2, image.height / 2
    # Each pixel is looked up where the inverse rotation about the centre takes it.
    x, y = left - across, top - down
    inverse = (cos, -sin, across + cos * x - sin * y, sin, cos, down + sin * x + cos * y)
    return image.transform(
        (right - left, bottom - top),
        Image.Transform.AFFINE,
        inverse,
        _resampling(image, Image.Resampling.BILINEAR),
    )


def rotate_cropped(image: Image.Image, *, degrees: float) -> Image.Image:
    """Rotate by any angle and keep the largest upright rectangle inside, as AugLy does."""
    width, height = inscribed_rectangle(*image.size, degrees=degrees)
    w, h = max(1, math.floor(width)), max(1, math.floor(height))
    method = _resampling(image, Image.Resampling.BILINEAR)
    rotated = image.rotate(degrees, method, expand=True)
    left, top = (rotated.width - w) // 2, (rotated.height - h) // 2
    return rotated.crop((left, top, left + w, top + h))


def inscribed_rectangle(width: float, height: float, *, degrees: float) -> tuple[float, float]:
    """Return the sides of the largest upright rectangle inside a rotated one.

    Either the rectangle touches all four rotated sides, or (long and thin pictures) only the two
    long ones, and then its diagonal's middle is the centre.

    >>> inscribed_rectangle(40.0, 30.0, degrees=0.0)
    (40.0, 30.0)
    >>> [round(side, 6) for side in inscribed_rectangle(10.0, 10.0, degrees=45.0)]
    [7.071068, 7.071068]
    """
    sin, cos = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    long, short = max(width, height), min(width, height)
    if short <= 2 * sin * cos * long or abs(sin - cos) < 1e-9:
        half = short / 2
        along, across = half / sin, half / cos
        return (along, across) if width >= height else (across, along)
    cos_double = cos * cos - sin * sin
    return (width * cos - height * sin) / cos_double, (height * cos - width * sin) / cos_double


def brightness(image: Image.Image, *, factor: float) -> Image.Image:
    """Multiply by `factor`: 0 is black, 1 the picture."""
    return ImageEnhance.Brightness(image).enhance(factor)


def contrast(image: Image.Image, *, factor: float) -> Image.Image:
    """Blend from the mean grey (factor 0) through the picture (1) and beyond."""
    return ImageEnhance.Contrast(image).enhance(factor)


def saturation(image: Image.Image, *, factor: float) -> Image.Image:
    """Blend from the grey picture (factor 0) through the picture (1) and beyond."""
    return ImageEnhance.Color(image).enhance(factor)


def hue(image: Image.Image, *, shift: float) -> Image.Image:
    """Turn the colour circle by `shift` of a turn, in [-.5, .5]."""
    h, s, v = image.convert("HSV").split()
    offset = int(shift * 255)
    h = h.point([(level + offset) % 256 for level in range(256)])
    return Image.merge("HSV", (h, s, v)).convert("RGB")


def greyscale(image: Image.Image) -> Image.Image:
    """Replace colour by luma (ITU-R 601), in three equal channels."""
    return image.convert("L").convert("RGB")


def gaussian_blur(image: Image.Image, *, radius: float) -> Image.Image:
    """Blur by a Gaussian of standard deviation `radius` pixels (three box blurs in Pillow)."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def pad(image: Image.Image, *, border: Box, color: Color | int) -> Image.Image:
    """Add a border of (left, top, right, bottom) pixels of one colour."""
    return ImageOps.expand(image, border, color)


def change_aspect_ratio(image: Image.Image, *, factor: float) -> Image.Image:
    """Multiply width over height by `factor`, keeping the area (bicubic)."""
    root = math.sqrt(factor)
    width, height = max(1, round(image.width * root)), max(1, round(image.height / root))
    return resize(image, width=width, height=height)


def _resampling(image: Image.Image, method: Image.Resampling) -> Image.Resampling:
    return Image.Resampling.NEAREST if image.mode == "I" else method
