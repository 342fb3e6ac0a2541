"""`sscd train`: Lightning's command line over our module and data, with run directories."""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from lightning.pytorch.cli import (
    ArgsType,
    LightningArgumentParser,
    LightningCLI,
)

from sscd.data.module import CopyDetectionData
from sscd.errors import UserError
from sscd.formats.track2.hdf5_file import check_track2_dims
from sscd.models.checkpoint import check_resumable
from sscd.models.descriptor import NetworkConfig
from sscd.training.checkpoint_io import AtomicCheckpointIO
from sscd.training.logs import LoggerName, build_loggers
from sscd.training.module import CopyDetector
from sscd.training.run_directory import RunDirectory, new_run, resumed_run
from sscd.training.trainer_parts import (
    SaveResolvedConfig,
    as_list,
    device_settings,
    progress_bar,
    run_callbacks,
)

_NOT_FOR_THE_USER = (
    r".*isinstance\(treespec, LeafSpec\)",  # Lightning's own use of torch
    r".*You have overridden `transfer_batch_to_device`",  # on purpose
    r".*Checkpoint directory .* exists and is not empty",  # that of a resumed run is
    r".*smaller than the logging interval",  # the last step of an epoch is logged in any case
)


def quieten() -> None:
    """Silence what libraries say about themselves; what concerns the training stays."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    for message in _NOT_FOR_THE_USER:
        warnings.filterwarnings("ignore", message=message)


def _fixed_seed(seed: bool | int) -> int:
    if isinstance(seed, bool) or seed < 0:
        raise UserError(f"seed_everything got {seed}; expected a whole number from 0 on")
    return seed


class TrainCLI(LightningCLI):
    """Parses a training's configuration and runs it.

    After construction the training is done; `run` says where its files are.

    Args:
        args: Command-line arguments after the subcommand.
        default_run: The run directory where none is configured.
    """

    model: CopyDetector
    datamodule: CopyDetectionData

    def __init__(self, args: list[str], *, default_run: Path) -> None:
        quieten()
        self.default_run = default_run
        self._run_directory: RunDirectory | None = None
        self._resumed_at: int | None = None
        parsing = {"exit_on_error": False, "allow_abbrev": False}
        super().__init__(
            CopyDetector,
            CopyDetectionData,
            args=["fit", *args],
            seed_everything_default=0,
            save_config_callback=SaveResolvedConfig,
            trainer_defaults={
                "use_distributed_sampler": False,
                "num_sanity_val_steps": 0,
                "log_every_n_steps": 10,
            },
            parser_kwargs=parsing | {"fit": parsing},
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Training only; everything else is a command of its own."""
        return {"fit": {"model", "train_dataloaders", "val_dataloaders", "datamodule"}}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add what belongs to the run, and link what is set once."""
        parser.add_argument(
            "--run_dir",
            type=Path | None,
            default=None,
            help="Where checkpoints, metrics and the configuration go; numbered if it is taken.",
        )
        parser.add_argument("--logger", type=LoggerName, default="csv", help="Beside metrics.csv.")
        parser.add_argument("--wandb_project", type=str, default="sscd")
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
        parser.link_arguments("seed_everything", "data.seed", compute_fn=_fixed_seed)
        parser.link_arguments("data.image_size", "model.image_size")
        parser.link_arguments("data.inference", "model.inference", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse, without Lightning's warning about arguments that are not the process's own."""
        if not isinstance(args, list):
            raise TypeError(f"args got {type(args).__name__}; expected a list of strings")
        self.config = parser.parse_args(args)

    def _parse_ckpt_path(self) -> None:
        """Nothing of a checkpoint overrides the configuration."""

    def before_instantiate_classes(self) -> None:
        """Settle the run directory, and the checkpoint to go on from."""
        config = self.config["fit"]
        if config["trainer"]["default_root_dir"]:
            raise UserError("trainer.default_root_dir is the run's; give --run_dir DIR instead")
        if config["export"]:
            check_track2_dims(config["model"]["network"]["dims"])
        wanted = config["run_dir"]
        if config["ckpt_path"]:
            self._run_directory, checkpoint = resumed_run(
                str(config["ckpt_path"]), run_dir=wanted, default=self.default_run
            )
            self._resumed_at = check_resumable(
                checkpoint,
                NetworkConfig(**config["model"]["network"].as_dict()),
                optimizer=config["model"]["optimizer"]["name"],
            )
            config["ckpt_path"] = str(checkpoint)
        else:
            self._run_directory = new_run(wanted or self.default_run)

    def instantiate_classes(self) -> None:
        """Build data, model and trainer.

        Raises:
            UserError: Values that do not fit one another.
        """
        try:
            super().instantiate_classes()
        except (ValueError, TypeError, MisconfigurationException) as error:
            raise UserError(f"configuration: {error}") from error

    @property
    def run(self) -> RunDirectory:
        """Where the run keeps its files."""
        if self._run_directory is None:
            raise ValueError("the run directory is asked for before the arguments are parsed")
        return self._run_directory

    def setting(self, name: str) -> Any:
        """A value of the resolved configuration, by its dotted key."""
        return self.config["fit"][name]

    def fit(self, **arguments: Any) -> None:
        """Train.

        Raises:
            KeyboardInterrupt: Somebody pressed Ctrl-C; the message says how to go on.
            UserError: The trainer's settings do not fit the checkpoint or one another.
        """
        try:
            self.trainer.fit(**(arguments | {"weights_only": True}))
        except MisconfigurationException as error:
            raise UserError(f"trainer: {error}") from error
        except SystemExit as stopped:
            if not self.trainer.interrupted:
                raise
            advice = (
                "go on with the same command and --ckpt_path last"
                if self.run.last.exists()
                else "no checkpoint was written yet"
            )
            raise KeyboardInterrupt(advice) from stopped

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Add the loggers, the callbacks and what depends on this machine's devices."""
        config = self.config_init["fit"]
        settings = config["trainer"]
        if settings["logger"] is None:
            kwargs["logger"] = build_loggers(
                config["logger"],
                self.run.path,
                project=config["wandb_project"],
                resumed_at=self._resumed_at,
            )
        kwargs["default_root_dir"] = str(self.run.path)
        kwargs["plugins"] = [*as_list(settings["plugins"]), AtomicCheckpointIO()]
        settings["callbacks"] = [*as_list(settings["callbacks"]), *run_callbacks(self.run)]
        if sys.stderr.isatty() and settings["enable_progress_bar"] is not False:
            settings["callbacks"].append(progress_bar())
        else:
            kwargs["enable_progress_bar"] = False
        return super().instantiate_trainer(
            **kwargs,
            **device_settings(settings["accelerator"], precision=settings["precision"]),
        )
