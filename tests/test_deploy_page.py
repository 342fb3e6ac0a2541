"""docs/deploy.md: its Python runs, and its example without torch gives the rows of `describe`."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sscd import Descriptor
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode
from sscd.cli import main
from sscd.data.procedural import draw_picture
from sscd.models.packages.capture import Capture, capture
from sscd.models.packages.metadata import pack_info
from sscd.models.packages.onnx_file import write_onnx
from sscd.models.packages.safetensors_file import write_package
from tests.commands.small import write_checkpoint
from tests.conftest import REPOSITORY
from tests.models.packages.packed import small_card, small_trained

PAGE = REPOSITORY / "docs" / "deploy.md"
EXAMPLE = REPOSITORY / "docs" / "onnx_without_torch.py"

WITHOUT_TORCH = """
import runpy, sys
import numpy as np
sys.modules["torch"] = sys.modules["sscd"] = None
module = runpy.run_path(sys.argv[1])
np.save(sys.argv[2], module["main"](sys.argv[3], sys.argv[4:]))
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small, large JPEG upright and on the side, transparent, a grey strip, 16-bit grey."""
    root = tmp_path_factory.mktemp("pictures")
    small = draw_picture(seed=1, index=0, size=50)
    large = draw_picture(seed=1, index=1, size=700).crop((0, 0, 700, 431))
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = draw_picture(seed=1, index=2, size=90).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    small.save(root / "small.png")
    large.save(root / "large.jpg")
    large.save(root / "lying.jpg", exif=exif)
    clear.save(root / "clear.png")
    large.convert("L").crop((0, 0, 700, 20)).save(root / "strip.jpg")
    deep = np.asarray(small.convert("L")).astype(np.uint16) * 257 - np.uint16(77)
    Image.fromarray(deep).save(root / "deep.png")
    return sorted(root.iterdir())


@pytest.fixture(scope="module")
def captured() -> Capture:
    return capture(small_trained(size=80))


@pytest.mark.parametrize("mode", ["square", "short_side", "long_side"])
def test_the_rows_without_torch_are_those_with_it(
    mode: ResizeMode, captured: Capture, pictures: list[Path], tmp_path: Path
) -> None:
    trained = replace(small_trained(), inference=InferenceSize(80, mode))
    card = small_card(trained)
    write_onnx(tmp_path / "a.onnx", captured, pack_info(trained, card))
    write_package(tmp_path / "a.safetensors", trained, card)
    expected = Descriptor.load(tmp_path / "a.safetensors", device="cpu").describe(pictures)
    done = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_TORCH, str(EXAMPLE), str(tmp_path / "rows.npy")),
            *(str(tmp_path / "a.onnx"), *map(str, pictures)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), expected, atol=1e-5)
    lines = done.stdout.splitlines()
    assert len(lines) == len(pictures) * (len(pictures) - 1) // 2
    first = float((expected[1] @ expected[0]).item())
    similarity, verdict = lines[0].split("\t")[:2]
    assert float(similarity) == pytest.approx(first, abs=1e-4)
    assert verdict == f"copies: {first >= 0.75}"


def test_the_python_on_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: list[Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_checkpoint(tmp_path / "best.ckpt")
    for name, path in zip("abc", pictures, strict=False):
        with Image.open(path) as picture:
            picture.convert("RGB").save(f"{name}.jpg")
    model = ("--checkpoint", "best.ckpt", "--output", "packages/photos.pt2", "--size", "288")
    assert main(["export", "--model-only", *model]) == 0
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert np.shape(names["rows"]) == (2, 16)
    assert np.shape(names["similarity"]) == (2, 1)
    assert np.shape(names["copies"]) == (2, 2)
    assert names["card"]["name"] == "photos"
    assert tuple(names["described"].shape) == (2, 16)
