"""A flat picture seen by a pinhole camera, and the table or wall behind it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from sscd.augment.edits.canvas import Fill

_SURFACES = (
    (150, 108, 70),  # wood
    (96, 64, 42),
    (214, 206, 194),  # a white table, a wall
    (120, 122, 126),
    (58, 62, 72),
    (28, 28, 32),  # a dark room
)
_GRAIN = 160
_SURFACE_SIDE = 400


@dataclass(frozen=True)
class Camera:
    """A pinhole camera before a picture.

    Attributes:
        tilt: Turn of the plane about its vertical and its horizontal axis, degrees.
        roll: Turn of the camera about its own axis, degrees.
        distance: From the picture's centre, over its longer side.
        resolution: Pixels of the photograph over a pixel at the picture's centre.
        fill: How much of the photograph's width and height the picture takes, in (0, 1].
        offset: Where the picture lies in what is left over, in [0, 1].
    """

    tilt: tuple[float, float]
    roll: float
    distance: float
    resolution: float
    fill: tuple[float, float]
    offset: tuple[float, float]


@dataclass(frozen=True, eq=False)
class View:
    """How a plane is seen in a photograph.

    Attributes:
        size: (width, height) of the photograph, pixels.
        inverse: (3, 3): homogeneous coordinates in the photograph → in the picture, both in pixels
            from the top left corner.
    """

    size: tuple[int, int]
    inverse: np.ndarray

    def warp(self, picture: Image.Image, fill: Fill, *, border: int) -> Image.Image:
        """Photograph a picture that lies on the plane.

        Args:
            picture: RGB or L (bilinear) or I (nearest neighbour).
            fill: Around it.
            border: How far the picture goes beyond the plane's origin, to the left and above.
        """
        shifted = np.array([[1, 0, border], [0, 1, border], [0, 0, 1]]) @ self.inverse
        coefficients = (shifted / shifted[2, 2]).ravel()[:8].tolist()
        smooth = Image.Resampling.NEAREST if picture.mode == "I" else Image.Resampling.BILINEAR
        method = Image.Transform.PERSPECTIVE
        return picture.transform(self.size, method, coefficients, smooth, fillcolor=fill)

    def plane(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates in the picture of every pixel's centre, float32 (height, width) each."""
        x = np.arange(self.size[0], dtype=np.float32) + np.float32(0.5)
        y = (np.arange(self.size[1], dtype=np.float32) + np.float32(0.5))[:, None]
        rows = self.inverse.astype(np.float32)
        depth = rows[2, 0] * x + (rows[2, 1] * y + rows[2, 2])
        u = (rows[0, 0] * x + (rows[0, 1] * y + rows[0, 2])) / depth
        v = (rows[1, 0] * x + (rows[1, 1] * y + rows[1, 2])) / depth
        return u, v


def look_at(size: tuple[int, int], camera: Camera) -> View:
    """Place a pinhole camera before a picture of (width, height) pixels."""
    width, height = size
    a, b, c = np.radians((*camera.tilt, camera.roll))
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), np.sin(c), 0], [-np.sin(c), np.cos(c), 0], [0, 0, 1]])
    turn = about_z @ about_x @ about_y
    away = camera.distance * max(size)
    forward = np.stack([*(camera.resolution * turn[:2]), turn[2] / away])
    forward[:, 2] = (0, 0, 1)
    forward = forward @ np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)]).T
    seen = forward @ corners
    x, y = seen[:2] / seen[2]
    frame = tuple(
        max(1, round(np.ptp(side) / part)) for side, part in zip((x, y), camera.fill, strict=True)
    )
    left, top = (
        place * (whole - np.ptp(side)) - side.min()
        for place, whole, side in zip(camera.offset, frame, (x, y), strict=True)
    )
    forward = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]]) @ forward
    return View(size=(frame[0], frame[1]), inverse=np.linalg.inv(forward))


def draw_surface(rng: np.random.Generator, size: tuple[int, int], *, light: float) -> Image.Image:
    """Draw a table or a wall: one colour, unevenly lit, with a grain along one direction.

    Args:
        rng: Source of randomness.
        size: (width, height), pixels.
        light: Brightness over that of the surface in full light.
    """
    scale = min(1.0, _SURFACE_SIDE / max(size))
    small = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    base = np.array(_SURFACES[int(rng.integers(len(_SURFACES)))]) * light
    clouds = _stretch(rng.normal(0, 0.12, (4, 5)), small)
    along = (3, _GRAIN) if rng.random() < 0.5 else (_GRAIN, 3)
    grain = _stretch(rng.normal(0, rng.uniform(0.01, 0.08), along), small)
    shade = np.clip(1 + clouds + grain, 0, 2)[..., None]
    surface = Image.fromarray(np.clip(base * shade, 0, 255).astype(np.uint8))
    return surface.resize(size, Image.Resampling.BICUBIC)


def _stretch(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    small = Image.fromarray(values.astype(np.float32))
    return np.asarray(small.resize(size, Image.Resampling.BICUBIC))
