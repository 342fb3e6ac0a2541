"""`sscd attack`: pictures changed a little so that a network no longer knows them."""

from pathlib import Path

import numpy as np

from sscd.attacks.journal import AttackJournal
from sscd.attacks.optimisation import AttackConfig
from sscd.attacks.running import Attacked, AttackTask, attack_set
from sscd.attacks.saving import PictureFormat
from sscd.attacks.versions import versions
from sscd.augment.tensors import ResizeMode
from sscd.commands.describing import DescribeOptions, repeatable, say_skipped
from sscd.data.ground_truth import read_ground_truth
from sscd.data.pictures.sources import open_pictures
from sscd.data.records import Pictures
from sscd.errors import UserError
from sscd.models.describer import DeviceName, choose_device
from sscd.models.fingerprint import network_fingerprint
from sscd.terminal import Result, remark, warn

_FAR = 0.1
"""Decibels by which a file may miss what was asked for before it is said."""


def attack(
    images: str,
    checkpoint: Path,
    output: Path,
    psnr: float = 40.0,
    ground_truth: Path | None = None,
    steps: int = 100,
    lr: float = 0.05,
    weight: float = 0.5,
    seed: int = 0,
    format: PictureFormat = "png",  # noqa: A002
    quality: int = 95,
    name: str | None = None,
    size: int | None = None,
    resize: ResizeMode | None = None,
    batch_size: int = 16,
    device: DeviceName = "auto",
) -> Result:
    """Change pictures a little so that a network no longer matches them (DISC21 paper, A.3).

    The output directory has a picture for each, with the same id, and what was measured of it in
    manifest.jsonl. Interrupted, the same command goes on.

    Args:
        images: The pictures: a folder, a list, shards or Parquet.
        checkpoint: The network that is attacked: a checkpoint of `sscd train`, what `sscd export
            --model-only` wrote, or published weights.
        output: The directory to write.
        psnr: How near the pictures stay, as peak signal-to-noise ratio, dB: 40 shows to trained
            eyes only, 20 to all.
        ground_truth: Attack only the pictures to which this ground truth gives a reference.
        steps: Of the optimisation.
        lr: Its learning rate, in pixels as networks read them; .05 is 2.9 of 255 levels.
        weight: Share of the pixels' difference in the loss, 0 to 1.
        seed: Of the random transformations.
        format: Of the pictures: `png` keeps every pixel, `jpeg` does not.
        quality: Of JPEG, 1 to 100.
        name: What the network is called in tables; by default the checkpoint's path.
        size: Pixels that the network's pictures are resized to; by default as in its validation.
        resize: Which side `size` is of; by default as in its validation.
        batch_size: Most pictures at once; large ones are fewer.
        device: Where it runs.
    """
    try:
        config = AttackConfig(psnr, steps, lr, weight, seed)
    except ValueError as error:
        raise UserError(f"--{error}") from error
    if not 1 <= quality <= 100:
        raise UserError(f"--quality {quality}: give 1 to 100")
    options = DescribeOptions(checkpoint, size, resize, batch_size, 0, device)
    options.check()
    where = choose_device(device)
    pictures = _pictures(images, ground_truth)
    spec, _ = options.load()
    network = spec.network.requires_grad_(False).to(where).eval()
    task = AttackTask(network, spec.inference, where, config, format, quality, batch_size)
    journal = AttackJournal(
        output,
        task.request(model=network_fingerprint(network)),
        {
            "name": name or str(checkpoint),
            "checkpoint": str(checkpoint),
            "backbone": network.config.backbone,
            "versions": versions(),
        },
    )
    with repeatable():
        attacked = attack_set(pictures, journal, task)
    say_skipped(attacked.skipped, output)
    return _result(attacked, output, config, lossy=format == "jpeg")


def _pictures(images: str, ground_truth: Path | None) -> Pictures:
    opened = open_pictures(images, name="pictures")
    for line in opened.left_out:
        warn(line)
    if ground_truth is None:
        return opened.pictures
    copies = {query for query, _ in read_ground_truth(ground_truth).pairs}
    ids = opened.pictures.ids
    chosen = [place for place, image_id in enumerate(ids) if image_id in copies]
    if not chosen:
        raise UserError(
            f"none of the {len(copies):,} queries with a reference in {ground_truth} is among the "
            f"{len(ids):,} pictures of {images}; give the queries it speaks of"
        )
    if lacking := len(copies) - len(chosen):
        warn(f"{lacking:,} queries of {ground_truth} are not among the pictures of {images}")
    remark(
        f"{len(ids) - len(chosen):,} of {len(ids):,} pictures have no reference, and are left out"
    )
    return opened.pictures.subset(np.array(chosen))


def _result(attacked: Attacked, output: Path, config: AttackConfig, *, lossy: bool) -> Result:
    summary = attacked.summary()
    reached = summary["psnr"]
    values = {
        "output": str(output),
        "target_psnr": config.psnr,
        **summary,
        "made": attacked.made,
    }
    lines = [
        f"{output}: {summary['pictures']:,} pictures, PSNR {reached['mean']:.2f} dB measured of "
        f"the files ({reached['min']:.2f} to {reached['max']:.2f}), SSIM {summary['ssim']:.3f}; "
        f"mean cosine with their sources {summary['cosine']:.3f}"
    ]
    if abs(reached["mean"] - config.psnr) > _FAR:
        warn(
            f"the files have {reached['mean']:.2f} dB, not {config.psnr:g}: JPEG of that quality "
            "changes more than the attack may; give --format png or a higher --quality"
            if lossy
            else f"the files have {reached['mean']:.2f} dB, not {config.psnr:g}: pictures of few "
            "colours cannot be changed so far"
        )
    if not attacked.made:
        lines.insert(0, f"{output} is complete already; nothing was done")
    return Result(
        values, lines, remarks=[f"next: sscd table DISC_DIR --attack {output} --output DIR"]
    )
