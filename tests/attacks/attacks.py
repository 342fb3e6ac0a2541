"""A small attack, and what it is made of."""

from pathlib import Path

import torch

from sscd.attacks.journal import AttackJournal
from sscd.attacks.optimisation import AttackConfig
from sscd.attacks.running import Attacked, AttackTask, attack_set
from sscd.data.listing import scan_images
from sscd.data.procedural import draw_picture
from tests.models.networks import INFERENCE, small_network

NAMES = ("a.png", "sub dir/b c.jpg", "sub dir/d.png", "é.png")


def draw_pictures(folder: Path) -> Path:
    """Pictures of several sizes below a folder."""
    for index, name in enumerate(NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = draw_picture(seed=6, index=index, size=40)
        picture.resize((40 - 8 * (index % 2), 40)).save(path)
    return folder


def small_task(**settings: object) -> AttackTask:
    config = AttackConfig(psnr=30, steps=1)
    network = small_network().requires_grad_(False)
    task = AttackTask(network, INFERENCE, torch.device("cpu"), config, batch_size=3)
    return AttackTask(**{**vars(task), **settings})


def journal_of(out: Path, task: AttackTask) -> AttackJournal:
    return AttackJournal(
        out, task.request(model="0123"), {"name": "small", "backbone": "resnet18", "versions": {}}
    )


def run(folder: Path, out: Path, **settings: object) -> Attacked:
    task = small_task(**settings)
    pictures = scan_images(folder, name="pictures").images
    return attack_set(pictures, journal_of(out, task), task)
