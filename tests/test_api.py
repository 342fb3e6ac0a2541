"""Three lines: what may be described, the same rows as `sscd describe`, and what is refused."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import sscd
from sscd import Descriptor
from sscd.cli import main
from sscd.data.given import Picture
from sscd.errors import UserError
from sscd.formats.parquet.files import open_parquet
from sscd.models.packages.safetensors_file import write_package
from tests.commands.small import draw_sets, write_checkpoint
from tests.conftest import REPOSITORY
from tests.models.packages.packed import small_card, small_trained


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = draw_sets(tmp_path_factory.mktemp("sets"))
    write_checkpoint(root / "a.ckpt")
    return root


@pytest.fixture(scope="module")
def descriptor(sets: Path) -> Descriptor:
    return Descriptor.load(sets / "a.ckpt", device="cpu")


@pytest.fixture(scope="module")
def paths(sets: Path) -> list[Path]:
    return sorted((sets / "references").iterdir())


def test_rows_of_norm_1_in_order(descriptor: Descriptor, paths: list[Path]) -> None:
    rows = descriptor.describe(paths)
    assert rows.shape == (12, 16)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    backwards = descriptor.describe(paths[::-1])
    np.testing.assert_allclose(backwards[::-1], rows, atol=1e-6)


@pytest.mark.parametrize(("batch_size", "workers"), [(64, 0), (5, 2)])
def test_the_same_bits_as_the_command(
    descriptor: Descriptor, sets: Path, tmp_path: Path, batch_size: int, workers: int
) -> None:
    pictures = sorted((sets / "queries").iterdir())
    command = ["describe", str(sets / "queries"), str(tmp_path / "out"), "--device", "cpu"]
    more = ["--checkpoint", str(sets / "a.ckpt"), "--batch-size", str(batch_size)]
    assert main([*command, *more, "--workers", str(workers)]) == 0
    written = open_parquet(tmp_path / "out")
    assert list(written.ids) == [path.stem for path in pictures]
    rows = descriptor.describe(pictures, batch_size=batch_size, workers=workers)
    np.testing.assert_array_equal(rows, np.asarray(written.vectors[:]))
    assert written.origin.model == descriptor.fingerprint


def test_every_kind_of_picture(descriptor: Descriptor, paths: list[Path]) -> None:
    path = paths[0]
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("RGB"))
        made = Image.fromarray(pixels)
        mixture: list[Picture] = [str(path), path, path.read_bytes(), opened, made, pixels]
        rows = descriptor.describe(mixture)
    np.testing.assert_allclose(rows, np.repeat(rows[:1], 6, axis=0), atol=1e-6)
    for one in (str(path), path, path.read_bytes(), pixels):
        np.testing.assert_allclose(descriptor.describe(one), rows[:1], atol=1e-6)
    np.testing.assert_allclose(descriptor.describe(pixels[None]), rows[:1], atol=1e-6)
    np.testing.assert_allclose(descriptor.describe(iter([path])), rows[:1], atol=1e-6)


def test_orientation_and_transparency_are_as_in_files(
    descriptor: Descriptor, paths: list[Path], tmp_path: Path
) -> None:
    with Image.open(paths[0]) as opened:
        upright = opened.convert("RGB")
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying.save(tmp_path / "a.png", exif=exif)
    clear = upright.convert("RGBA")
    clear.putalpha(0)
    grey = np.full((48, 48), 255, dtype=np.uint8)
    with Image.open(tmp_path / "a.png") as opened:
        rows = descriptor.describe([upright, tmp_path / "a.png", opened, clear, grey])
        assert opened.getexif()[0x0112] == 6, "the caller's picture was changed"
    np.testing.assert_allclose(rows[1:3], rows[[0, 0]], atol=1e-6)
    np.testing.assert_allclose(rows[3], rows[4], atol=1e-6)
    assert np.abs(rows[0] - rows[3]).max() > 1e-3


def test_similarity_is_the_cosine(descriptor: Descriptor, paths: list[Path]) -> None:
    rows = descriptor.describe(paths[:3])
    expected = rows.astype(np.float64) @ rows.astype(np.float64).T
    np.testing.assert_allclose(descriptor.similarity(rows, rows), expected, atol=1e-6)
    np.testing.assert_allclose(descriptor.similarity(3 * rows, rows[0]), expected[:, :1], atol=1e-6)
    np.testing.assert_allclose(descriptor.similarity(paths[:3], rows), expected, atol=1e-5)
    assert descriptor.similarity(rows[0], paths[1]).shape == (1, 1)
    assert descriptor.similarity(rows, rows).max() <= 1


def test_copies_by_the_card_or_by_a_threshold(
    descriptor: Descriptor, paths: list[Path], tmp_path: Path
) -> None:
    assert descriptor.threshold is None
    with pytest.raises(UserError, match="names no threshold"):
        descriptor.is_copy(paths[0], paths[1])
    assert descriptor.is_copy(paths[0], paths[:2], threshold=0.999999).tolist() == [[True, False]]
    trained = small_trained()
    write_package(tmp_path / "a.safetensors", trained, small_card(trained))
    packed = Descriptor.load(str(tmp_path / "a.safetensors"), device="cpu")
    assert packed.threshold == 0.75
    assert packed.dims == 8
    assert packed.inference.size == 64
    assert packed.is_copy(np.eye(8)[0], np.eye(8)[:2]).tolist() == [[True, False]]


def test_broken_pictures_are_named_or_nan(
    descriptor: Descriptor, paths: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    given: list[Picture] = [paths[0], tmp_path / "broken.jpg", b"", tmp_path / "none.jpg", paths[1]]
    with pytest.raises(UserError, match=r"cannot read .*broken\.jpg: not a picture"):
        descriptor.describe(given)
    with pytest.raises(UserError, match="cannot read picture 0: empty file"):
        descriptor.describe(b"")
    rows = descriptor.describe(given, unreadable="nan", batch_size=2)
    assert np.isnan(rows).all(axis=1).tolist() == [False, True, True, True, False]
    np.testing.assert_allclose(rows[[0, 4]], descriptor.describe([paths[0], paths[1]]), atol=1e-6)
    assert np.isnan(descriptor.similarity(rows, rows)[1]).all()
    assert not descriptor.is_copy(rows, rows, threshold=0.5)[1].any()


def test_nothing_gives_no_rows(descriptor: Descriptor) -> None:
    assert descriptor.describe([]).shape == (0, 16)
    assert descriptor.similarity([], np.zeros((2, 16), np.float32)).shape == (0, 2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.zeros((4, 4, 3), np.uint16), "uint16"),
        (np.zeros((4, 4, 5), np.uint8), r"\(4, 4, 5\)"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)"),
        (np.zeros((4, 4, 3), np.float32), "expected uint8"),
        ([3], "picture 0 is a int"),
        (3, "picture 0 is a int"),
        (None, "picture 0 is a NoneType"),
        (bytearray(b"x"), "picture 0 is a bytearray"),
        (io.BytesIO(b"x"), r"picture 0 is a BytesIO.*give what its read\(\) returns"),
    ],
)
def test_no_pictures(descriptor: Descriptor, given: Any, expected: str) -> None:
    with pytest.raises((ValueError, TypeError), match=expected):
        descriptor.describe(given)


def test_other_misuse(descriptor: Descriptor, sets: Path) -> None:
    with pytest.raises(UserError, match=r"references is a directory; list its pictures"):
        descriptor.describe(sets / "references")
    with pytest.raises(ValueError, match=r"expected \(n, 16\)"):
        descriptor.similarity(np.zeros((2, 3), np.float32), np.zeros((2, 16), np.float32))
    with pytest.raises(ValueError, match="batch_size=0"):
        descriptor.describe([], batch_size=0)
    with pytest.raises(ValueError, match="unreadable got 'skip'"):
        descriptor.describe([], unreadable="skip")  # type: ignore[arg-type]


def test_files_that_are_not_loaded(tmp_path: Path) -> None:
    for name, program in (("a.onnx", "ONNX Runtime"), ("a.pt2", "torch.export")):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(UserError, match=f"{name} is for {program}"):
            Descriptor.load(tmp_path / name)
    with pytest.raises(UserError, match="is a directory"):
        Descriptor.load(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        Descriptor.load(tmp_path / "none.ckpt")
    with pytest.raises(ValueError, match="device got 'mps'; expected one of auto, cpu, cuda"):
        Descriptor(small_trained(), device="mps")  # type: ignore[arg-type]


def test_threads_share_one(descriptor: Descriptor, paths: list[Path]) -> None:
    expected = [descriptor.describe(path) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(descriptor.describe, paths))
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), atol=1e-6)


def test_importing_the_package_imports_no_torch() -> None:
    code = (
        "import sys, sscd; assert 'torch' not in sys.modules and 'numpy' not in sys.modules; "
        "from sscd import Descriptor; assert 'torch' in sys.modules; print(Descriptor.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "Descriptor"
    with pytest.raises(AttributeError, match="Descripter"):
        _ = sscd.Descripter  # type: ignore[attr-defined]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_agrees(descriptor: Descriptor, sets: Path, paths: list[Path]) -> None:
    on_gpu = Descriptor.load(sets / "a.ckpt")
    assert on_gpu.device.type == "cuda"
    assert on_gpu.fingerprint == descriptor.fingerprint
    np.testing.assert_allclose(on_gpu.describe(paths), descriptor.describe(paths), atol=2e-3)
