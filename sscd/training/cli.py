"""`sscd train`: Lightning's command line over our module and data, with run directories."""

from pathlib import Path
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.cli import (
    ArgsType,
    LightningArgumentParser,
    LightningCLI,
)

from sscd.arguments.errors import one_line_errors
from sscd.arguments.help_format import PlainHelp
from sscd.arguments.shared import shared_help
from sscd.data.loading.loader import explain_worker_death
from sscd.data.module import CopyDetectionData
from sscd.errors import Stopped, UserError
from sscd.formats.track2.hdf5_file import check_track2_dims
from sscd.training.batch_norm import batch_norm_plugins
from sscd.training.checkpoints.checkpoint_io import AtomicCheckpointIO
from sscd.training.checkpoints.fit_loop import use_exact_loops
from sscd.training.checkpoints.stop_signals import StopSignals
from sscd.training.module import CopyDetector
from sscd.training.quiet import quieten
from sscd.training.ranks.launch import Launch, find_launch, visible_gpus
from sscd.training.ranks.meeting import Meeting, decide_for_all, one_voice
from sscd.training.run.logs import build_loggers
from sscd.training.run.progress_bar import progress_callbacks
from sscd.training.run.run_choice import choose_run
from sscd.training.run.run_claim import RunClaim
from sscd.training.run.run_directory import RunDirectory, is_launched_child
from sscd.training.run.weights_and_biases.log import WandbLog
from sscd.training.run.weights_and_biases.panels import WandbPanels
from sscd.training.run_arguments import add_run_arguments
from sscd.training.steps.classification import check_labels
from sscd.training.trainer_parts import (
    SaveResolvedConfig,
    as_list,
    check_trainer,
    device_settings,
    resolved_text,
    run_callbacks,
)
from sscd.training.whole_numbers import keep_whole_numbers


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
        signals: What asks the training to stop.
        claim: Keeps other trainings out of the run directory.
    """

    model: CopyDetector
    datamodule: CopyDetectionData

    def __init__(
        self,
        args: list[str],
        *,
        default_run: Path,
        signals: StopSignals | None = None,
        claim: RunClaim | None = None,
    ) -> None:
        quieten()
        self.default_run = default_run
        self._signals = signals or StopSignals()
        self._claim = claim or RunClaim()
        self._validates = False
        self._run_directory: RunDirectory | None = None
        self._resumed_at: int | None = None
        self._launch: Launch | None = None
        self._meeting: Meeting | None = None
        with one_voice(lambda: self._meeting):
            self._parse_and_run(args)

    def _parse_and_run(self, args: list[str]) -> None:
        parsing = {
            "exit_on_error": False,
            "allow_abbrev": False,
            "formatter_class": PlainHelp,
        }
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
        keep_whole_numbers(parser)
        add_run_arguments(parser)
        parser.link_arguments("seed_everything", "data.seed", compute_fn=_fixed_seed)
        parser.link_arguments("data.image_size", "model.image_size")
        parser.link_arguments("data.inference", "model.inference", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse, without Lightning's warning about arguments that are not the process's own."""
        if not isinstance(args, list):
            raise TypeError(f"args got {type(args).__name__}; expected a list of strings")
        own = self._subcommand_parsers["fit"]
        own.usage = "sscd train [--config NAME …] [--KEY VALUE …]"
        own.description = f"Train a descriptor. Besides, {' '.join(shared_help())}"
        with one_line_errors("sscd train", own):
            self.config = parser.parse_args(args)

    def _parse_ckpt_path(self) -> None:
        """Nothing of a checkpoint overrides the configuration."""

    def before_instantiate_classes(self) -> None:
        """Settle the run directory, and the checkpoint to go on from."""
        config = self.config["fit"]
        check_trainer(config["trainer"])
        check_labels(config["data"]["labels"], config["model"]["classification"]["weight"])
        if config["export"]:
            check_track2_dims(config["model"]["network"]["dims"])
        self._launch = find_launch(config["trainer"])
        self._meeting = self._launch.meeting()
        decided = decide_for_all(
            self._meeting, lambda: choose_run(config, default=self.default_run, claim=self._claim)
        )
        self._run_directory = RunDirectory(Path(decided["run"]))
        self._resumed_at, self._validates = decided["resumed_at"], decided["validates"]
        config["ckpt_path"] = decided["checkpoint"]

    def instantiate_classes(self) -> None:
        """Build data, model and trainer.

        Raises:
            UserError: Values that do not fit one another.
        """
        try:
            super().instantiate_classes()
            if self._resumed_at is None:
                self.model.start()  # so that what is wrong is said at once
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
            Stopped: A signal came; the message says how to go on.
            UserError: The trainer's settings do not fit the checkpoint or one another.
        """
        use_exact_loops(self.trainer)
        try:
            self.trainer.fit(**(arguments | {"weights_only": True}))
            self._signals.disarm()
        except MisconfigurationException as error:
            raise UserError(f"trainer: {error}") from error
        except RuntimeError as error:
            if (line := explain_worker_death(error)) is None:
                raise
            raise UserError(line) from error
        except Stopped as stopped:  # after the last step
            if is_launched_child():
                raise SystemExit(0) from stopped
            raise
        except SystemExit as ended:  # what Lightning makes of a KeyboardInterrupt
            if not isinstance(ended.__context__, Stopped):
                raise
            if is_launched_child():  # whose failure would have the first process killed
                raise SystemExit(0) from ended
            raise ended.__context__ from None

    def _run_callbacks(self, loggers: list[Any]) -> list[Callback]:
        config = self.config_init["fit"]
        logs = [one for one in loggers if isinstance(one, WandbLog)]
        text = resolved_text(self._parser("fit"), self.config["fit"]) if logs else ""
        return run_callbacks(
            self.run,
            reader=WandbPanels(logs[0], self.run, settings=text) if logs else None,
            seed=config["seed_everything"],
            save_every=config["save_every"],
            guard=config["guard"],
            signals=self._signals,
        )

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Add the loggers, the callbacks and what depends on this machine's devices."""
        config = self.config_init["fit"]
        settings = config["trainer"]
        if settings["logger"] is None:
            kwargs["logger"] = build_loggers(
                config["logger"],
                self.run.path,
                wandb=config["wandb"],
                resumed_at=self._resumed_at,
                validates=self._validates,
            )
        loggers = as_list(kwargs.get("logger", settings["logger"]))
        kwargs["default_root_dir"] = str(self.run.path)
        launch = self._launch or find_launch(settings)
        kwargs |= launch.settings(settings, gpus=visible_gpus(settings["accelerator"]))
        kwargs["plugins"] += [AtomicCheckpointIO(), *batch_norm_plugins(settings["accelerator"])]
        settings["callbacks"] = [*as_list(settings["callbacks"]), *self._run_callbacks(loggers)]
        shown = progress_callbacks(settings["enable_progress_bar"])
        settings["callbacks"] += shown
        kwargs["enable_progress_bar"] = any(isinstance(one, ProgressBar) for one in shown)
        return super().instantiate_trainer(
            **kwargs,
            **device_settings(settings["accelerator"], precision=settings["precision"]),
        )
