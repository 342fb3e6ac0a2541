"""Small benchmarks to make with `sscd make-disc`."""

from pathlib import Path

import numpy as np
from PIL import Image

COUNTS = (
    *("--references", "16", "--queries", "7", "--distractors", "3", "--training", "9"),
    *("--extras", "3", "--air_gap", "0.2", "--max_side", "120"),
)


def picture(seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((96, 72), Image.Resampling.BICUBIC)


def arguments(folder: Path, out: Path, *more: str) -> list[str]:
    cache = str(folder.parent / "cache")
    return ["make-disc", str(folder), str(out), *COUNTS, "--workers", "1", "--cache", cache, *more]


def tree(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}
