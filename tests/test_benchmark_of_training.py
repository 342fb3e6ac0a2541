"""`python -m benchmarks.train`: what it counts, by hand, and that it runs to its end."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks.training.hardware import flops_of_step, peak_of
from benchmarks.training.options import parse
from benchmarks.training.result import Measured, figure_of, ratio

ROOT = Path(__file__).parents[1]


def test_operations_of_a_step_by_hand() -> None:
    # 36 places × 4 channels × 27 products, two operations each, for the output and for the
    # gradient of the weights; the views want none.
    assert flops_of_step(nn.Conv2d(3, 4, 3), image_size=8) == 2 * 2 * 36 * 4 * 27


def test_figures_are_medians_of_rounds() -> None:
    rounds = [
        Measured(seconds=s, views=100, waited=w, warm_up_seconds=s)
        for s, w in ((1.0, 0.5), (4.0, 0.4), (2.0, 0.0))
    ]
    figure = figure_of(
        "resident", rounds, compiled=True, flops_a_view=3e9, peak_flops=1e12, peak_memory_gib=2.0
    )
    assert figure.views_per_s == 50.0
    assert math.isclose(figure.mfu, 0.15)
    assert figure.data_wait == 0.1
    assert figure.warm_up_seconds == 1.0
    bare = figure_of(
        "bare", rounds[:1], compiled=True, flops_a_view=3e9, peak_flops=1e12, peak_memory_gib=2.0
    )
    assert ratio([figure, bare], "resident", "bare", compiled=True) == 0.5
    assert ratio([figure, bare], "resident", "bare", compiled=False) is None


def test_a_peak_is_given_or_measured() -> None:
    assert peak_of(torch.device("cpu"), 12.0).tflops == 12.0
    measured = peak_of(torch.device("cpu"), None)
    assert "matrix product" in measured.source
    assert 1e-4 < measured.tflops < 1e3


def test_options_are_checked() -> None:
    options = parse(["--modes", "jpeg", "resident", "--batch_size", "6", "--devices", "3"])
    assert options.modes == ("resident", "jpeg")
    assert options.compiled == (False, True)
    assert options.views_a_device == 4
    with pytest.raises(SystemExit):
        parse(["--batch_size", "7", "--devices", "2"])


@pytest.mark.slow
def test_all_modes_run(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    sizes = "--backbone resnet18 --image_size 32 --batch_size 8 --steps 2 --warm_up 1 --pictures 8"
    rest = f"--workers 1 --compile off --loss_rows 256 --json {written}"
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.train", *sizes.split(), *rest.split()],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    figures = json.loads(written.read_text())
    assert [figure["mode"] for figure in figures["figures"]] == [
        "resident",
        "bare",
        "device",
        "jpeg",
    ]
    assert all(figure["views_per_s"] > 0 for figure in figures["figures"])
    assert set(figures["ratios"]) == {
        "resident/bare, eager",
        "device/resident, eager",
        "jpeg/resident, eager",
    }
    assert 0 < figures["loss"]["share"] < 1
    assert "loss over 256 × 256" in told
