"""torch.export programs: they run without this package, and say what they are."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sscd.errors import UserError
from sscd.models.packages.capture import Capture, capture
from sscd.models.packages.metadata import KEYS, pack_info, unpack_info
from sscd.models.packages.torch_export_file import open_program, write_torch_export
from tests.models.packages.packed import small_card, small_trained


@pytest.fixture(scope="module")
def captured() -> Capture:
    return capture(small_trained())


@pytest.fixture(scope="module")
def written(captured: Capture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "a.pt2"
    trained = small_trained()
    assert write_torch_export(path, captured, pack_info(trained, small_card(trained))) <= 1e-5
    return path


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (3, 3, 64, 100)])
def test_the_program_is_the_network(written: Path, shape: tuple[int, ...]) -> None:
    pictures = torch.randint(0, 256, shape, dtype=torch.uint8)
    with torch.no_grad():
        found, expected = open_program(written)(pictures), small_trained().network(pictures)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_the_card_comes_with_it(written: Path) -> None:
    texts = dict.fromkeys(KEYS, "")
    torch.export.load(written, extra_files=texts)
    assert unpack_info(texts, path=written).card == small_card()


def test_it_runs_where_this_package_is_not(written: Path) -> None:
    code = (
        "import sys, torch\n"
        "sys.modules['sscd'] = None\n"
        "module = torch.export.load(sys.argv[1]).module()\n"
        "rows = module(torch.zeros(2, 3, 80, 64, dtype=torch.uint8))\n"
        "print(rows.shape, float(rows.norm(dim=1).min()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(written)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("torch.Size([2, 8]) ")
    assert float(done.stdout.split()[-1]) == pytest.approx(1, abs=1e-5)


def test_a_file_that_disagrees_is_not_left(captured: Capture, tmp_path: Path) -> None:
    other = Capture(small_trained(seed=1).network, captured.program, None, 64)
    with pytest.raises(UserError, match="differ from torch's"):
        write_torch_export(tmp_path / "a.pt2", other, {})
    assert list(tmp_path.iterdir()) == []
