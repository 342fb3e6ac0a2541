"""OpenCV beside loaders that fork."""

import importlib
import multiprocessing

import numpy as np
import pytest
from PIL import Image

from sscd.augment import fast_pixels, opencv
from sscd.errors import UserError


def _blur_in_child(queue: "multiprocessing.Queue[bytes]") -> None:
    queue.put(fast_pixels.gaussian_blur(_noise(), radius=3).tobytes())


def _noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))


def test_a_forked_process_can_use_it_after_its_parent() -> None:
    here = fast_pixels.gaussian_blur(_noise(), radius=3).tobytes()
    assert opencv.opencv().getNumThreads() == 1
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_blur_in_child, args=(queue,), daemon=True)
    child.start()
    assert queue.get(timeout=60) == here
    child.join(60)
    assert child.exitcode == 0


def test_a_missing_opencv_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    opencv.opencv.cache_clear()
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"pip install 'sscd\[train\]'"):
        opencv.opencv()
    opencv.opencv.cache_clear()
