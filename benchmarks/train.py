"""Training steps: views a second, model FLOP utilisation, memory and waiting for data.

`python -m benchmarks.train --help`. Four modes, the first two on batches that lie on the device:

- `resident`: our step, with everything around it that a real run has.
- `bare`: torchvision's network in a plain loop, which `resident` is compared with.
- `device`: from decoded pictures in memory; crops by workers, colour, blur and JPEG on the device.
- `jpeg`: from JPEG files; on a CPU the workers do everything, as is advised there.
"""

import dataclasses
import json
import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from benchmarks.training.bare import measure_bare
from benchmarks.training.hardware import (
    Peak,
    device_name,
    flops_of_step,
    peak_memory_gib,
    peak_of,
    reset_peak_memory,
)
from benchmarks.training.loss import LossFigure, measure_loss
from benchmarks.training.options import Options, parse
from benchmarks.training.ours import measure_ours
from benchmarks.training.pictures import (
    DecodedPictures,
    ResidentBatches,
    jpeg_files,
    views_of,
)
from benchmarks.training.result import Figure, Measured, figure_of, ratio
from sscd.data.loading.training_views import TrainingViews
from sscd.models.descriptor import DescriptorNet, NetworkConfig

RATIOS = (("resident", "bare"), ("device", "resident"), ("jpeg", "resident"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    options = parse(arguments)
    device = _device()
    peak = peak_of(device, options.peak_tflops)
    network = DescriptorNet(NetworkConfig(backbone=options.backbone, dims=options.dims))
    flops = flops_of_step(network, image_size=options.image_size)
    with tempfile.TemporaryDirectory() as scratch:
        figures = _measure(options, device, Path(scratch), flops=flops, peak=peak)
    loss = _loss(options, device, figures)
    if int(os.environ.get("LOCAL_RANK", "0")) == 0:
        print(_table(options, device, figures, loss, flops=flops, peak=peak))  # noqa: T201
        if options.json is not None:
            written = _as_json(options, device, figures, loss, flops=flops, peak=peak)
            options.json.write_text(json.dumps(written, indent=2) + "\n")


def _device() -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def _measure(
    options: Options, device: torch.device, scratch: Path, *, flops: float, peak: Peak
) -> list[Figure]:
    """All modes, by turns in each round."""
    modes = _modes(options, device, scratch)
    kinds = [(mode, compiled) for compiled in options.compiled for mode in options.modes]
    taken: dict[tuple[str, bool], list[Measured]] = {kind: [] for kind in kinds}
    memory = dict.fromkeys(kinds, 0.0)
    for _ in range(options.rounds):
        for mode, compiled in kinds:
            # Each run has a network of its own; torch would compile only a few of them.
            torch.compiler.reset()
            reset_peak_memory(device)
            taken[mode, compiled].append(modes[mode](compiled))
            memory[mode, compiled] = max(memory[mode, compiled], peak_memory_gib(device))
    return [
        figure_of(
            mode,
            taken[mode, compiled],
            compiled=compiled,
            flops_a_view=flops,
            peak_flops=peak.tflops * 1e12 * options.devices,
            peak_memory_gib=memory[mode, compiled],
        )
        for mode, compiled in kinds
    ]


def _modes(
    options: Options, device: torch.device, scratch: Path
) -> dict[str, Callable[[bool], Measured]]:
    steps = options.warm_up + options.steps

    def resident(compiled: bool) -> Measured:
        source = ResidentBatches(options, device, steps=steps)
        return measure_ours(options, source, device, compiled=compiled)

    def bare(compiled: bool) -> Measured:
        return measure_bare(options, device, compiled=compiled)

    def from_pictures(views: TrainingViews) -> Callable[[bool], Measured]:
        return lambda compiled: measure_ours(options, views, device, compiled=compiled)

    modes: dict[str, Callable[[bool], Measured]] = {"resident": resident, "bare": bare}
    if {"device", "jpeg"} & set(options.modes):
        images = jpeg_files(options, scratch, count=steps * options.batch_size)
        decoded = DecodedPictures.of(images)
        modes["device"] = from_pictures(views_of(decoded, options, finished=False))
        modes["jpeg"] = from_pictures(views_of(images, options, finished=device.type == "cpu"))
    return modes


def _loss(options: Options, device: torch.device, figures: list[Figure]) -> LossFigure | None:
    """Against the fastest of our own resident steps."""
    rates = [figure.views_per_s for figure in figures if figure.mode == "resident"]
    if not options.loss_rows or not rates:
        return None
    return measure_loss(
        options.loss_rows,
        dims=options.dims,
        device=device,
        views_per_s=max(rates),
        devices=options.devices,
    )


def _table(
    options: Options,
    device: torch.device,
    figures: list[Figure],
    loss: LossFigure | None,
    *,
    flops: float,
    peak: Peak,
) -> str:
    micro = "" if options.micro_batch is None else f", micro-batch {options.micro_batch}"
    network = f"{options.backbone} at {options.image_size} px"
    lines = [
        f"{options.devices} × {device_name(device)}; {network}, "
        f"batch {options.batch_size} × 2 views{micro}, {options.steps} steps, "
        f"{options.rounds} rounds",
        f"{flops / 1e9:.1f} GFLOP a view; peak {peak.tflops:.3g} TFLOP/s ({peak.source})",
        "",
        "mode      compiled   views/s      MFU  data wait   memory  warm-up",
    ]
    lines += [
        f"{f.mode:<9} {'yes' if f.compiled else 'no':<8} {f.views_per_s:9.1f}  {f.mfu:6.1%}"
        f"  {f.data_wait:8.1%}  {f.peak_memory_gib:5.1f} GiB  {f.warm_up_seconds:5.1f} s"
        for f in figures
    ]
    lines += ["", *_ratio_lines(options, figures)]
    if loss is not None:
        lines.append(
            f"loss over {loss.rows:,} × {loss.rows:,}: {loss.seconds * 1e3:.1f} ms, "
            f"{loss.share:.1%} of the step"
        )
    return "\n".join(lines)


def _ratio_lines(options: Options, figures: list[Figure]) -> list[str]:
    lines = []
    for compiled in options.compiled:
        parts = [
            f"{mode}/{to} {value:.3f}"
            for mode, to in RATIOS
            if (value := ratio(figures, mode, to, compiled=compiled)) is not None
        ]
        if parts:
            lines.append(f"{'compiled' if compiled else 'eager'}: {', '.join(parts)}")
    return lines


def _as_json(
    options: Options,
    device: torch.device,
    figures: list[Figure],
    loss: LossFigure | None,
    *,
    flops: float,
    peak: Peak,
) -> dict[str, object]:
    return {
        "device": device_name(device),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "options": {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items()},
        "gflop_a_view": flops / 1e9,
        "peak": dataclasses.asdict(peak),
        "figures": [dataclasses.asdict(figure) for figure in figures],
        "ratios": {
            f"{mode}/{to}, {'compiled' if compiled else 'eager'}": value
            for compiled in options.compiled
            for mode, to in RATIOS
            if (value := ratio(figures, mode, to, compiled=compiled)) is not None
        },
        "loss": None if loss is None else dataclasses.asdict(loss),
    }


if __name__ == "__main__":
    main()
