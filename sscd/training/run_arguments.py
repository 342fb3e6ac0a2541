"""The arguments of a training that belong to its run, beside those of model, data and trainer."""

from pathlib import Path

from lightning.pytorch.cli import LightningArgumentParser

from sscd.training.guards.collapse import GuardConfig
from sscd.training.run.logs import LoggerName
from sscd.training.run.weights_and_biases.settings import WandbConfig


def add_run_arguments(parser: LightningArgumentParser) -> None:
    """Add where a run's files go, how often it saves, what it reports and what it does at its end.

    Args:
        parser: Of the training.
    """
    parser.add_argument(
        "--run_dir",
        type=Path | None,
        default=None,
        help="Where checkpoints, metrics and the configuration go; numbered if it is taken.",
    )
    parser.add_argument(
        "--save_every",
        type=int | None,
        default=None,
        help="Optimiser steps between saves of last.ckpt within an epoch; null for none.",
    )
    parser.add_argument("--guard", type=GuardConfig, default=GuardConfig())
    parser.add_argument("--logger", type=LoggerName, default="csv", help="Beside metrics.csv.")
    parser.add_argument("--wandb", type=WandbConfig, default=WandbConfig())
    parser.add_argument(
        "--compare",
        type=bool,
        default=False,
        help="At the end, judge the untrained network and simple descriptors too.",
    )
    parser.add_argument(
        "--export",
        type=bool,
        default=False,
        help="At the end, write the track-2 descriptors of the validation set.",
    )
