"""Small pictures of noise, as files and as bytes."""

import io
from pathlib import Path

import numpy as np
from PIL import Image


def noise(seed: int, *, size: tuple[int, int] = (24, 20)) -> bytes:
    """A PNG file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def write_pictures(root: Path, count: int) -> list[str]:
    """`root/00.png` and on; returns their names."""
    root.mkdir(parents=True, exist_ok=True)
    names = [f"{index:02d}.png" for index in range(count)]
    for index, name in enumerate(names):
        (root / name).write_bytes(noise(index))
    return names
