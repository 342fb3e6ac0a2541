"""Lightning's logger over a channel to W&B."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from sscd.terminal import remark, warn, working
from sscd.training.run.weights_and_biases.artifacts import remove_staged, staging_folder
from sscd.training.run.weights_and_biases.channel import Channel
from sscd.training.run.weights_and_biases.client import Mode, define_axes, import_all, open_run
from sscd.training.run.weights_and_biases.identity import run_id
from sscd.training.run.weights_and_biases.settings import WandbConfig

STEP = "trainer/global_step"
HURRY_SECONDS = 10.0
"""How long a training that was stopped or has failed waits for W&B."""
_PREEMPTED = 75


class WandbLog(Logger):
    """Writes to Weights & Biases from rank 0, and never stops or delays a training.

    A row of W&B's history is a step of the training: what a resumed training does again falls on
    the same rows.

    Args:
        run_dir: The run directory, in whose `wandb` all is kept.
        config: Where it goes.
        mode: Whether to talk to a server.
    """

    def __init__(self, run_dir: Path, config: WandbConfig, *, mode: Mode) -> None:
        super().__init__()
        self.run_dir = run_dir
        self.config = config
        self.mode = mode
        self.exit_code = 1
        """What a run that does not succeed ends with."""
        self.staging = staging_folder(run_dir)
        """Where files wait for their upload."""
        self._id: str | None = None
        self._channel: Channel | None = None

    @property
    def name(self) -> str:
        """The project."""
        return self.config.project

    @property
    def version(self) -> str | None:
        """The run's id; None before the first of its rows."""
        return self._id

    @property
    def save_dir(self) -> str:
        """The run directory."""
        return str(self.run_dir)

    @rank_zero_only
    def do(self, task: Callable[[Any], None], *, asks_server: bool = False) -> None:
        """Have something done with the `wandb.Run`, on another thread, after all before it.

        Args:
            task: What.
            asks_server: Online it waits for an answer, as all that makes an artifact does.
        """
        self._open().do(task, asks_server=asks_server)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Add numbers or panels to the row of a step."""
        row = dict(metrics)
        if step is not None:
            row[STEP] = step
        self.do(lambda run: run.log(row, step=step))

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Add settings to the run's configuration."""
        values = dict(params) if isinstance(params, Mapping) else dict(vars(params))
        self.do(lambda run: run.config.update(values, allow_val_change=True))

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """End the run, and say where what was not uploaded is."""
        if self._channel is None:
            return
        channel, self._channel = self._channel, None
        success = status == "success"
        code = 0 if success else self.exit_code
        if code == _PREEMPTED:
            channel.do(lambda run: run.mark_preempting())
        # The client itself gives up uploading after `wait` seconds.
        seconds = 1.5 * self.config.wait if success else min(HURRY_SECONDS, self.config.wait)
        with working("finishing Weights & Biases"):
            done = channel.close(exit_code=code, seconds=seconds)
        if channel.run is not None:
            self._say_where(channel.run, done)

    def _open(self) -> Channel:
        if self._channel is None:
            import_all()
            self._id = run_id(self.run_dir)
            self._channel = Channel(self._begin)
            with working("reaching Weights & Biases"):
                self._channel.wait()  # kept by now: what interrupts this finds it, and ends it
            run = self._channel.run
            if run is not None and not run.offline:
                remark(f"Weights & Biases: {run.url}")
        return self._channel

    def _begin(self, given_up: Callable[[], bool]) -> Any:
        config = self.config
        arguments = {
            "project": config.project,
            "entity": config.entity,
            "name": config.name or self.run_dir.name,
            "tags": list(config.tags) or None,
            "dir": str(self.run_dir),
            "id": self._id,
            "resume": "allow",
        }
        run = open_run(arguments, mode=self.mode, wait=config.wait, given_up=given_up)
        define_axes(run)
        return run

    def _say_where(self, run: Any, done: bool) -> None:
        place = Path(run.dir).parent
        if not done:
            warn(
                "not all of the run reached Weights & Biases; "
                f"`wandb sync {place}` uploads what is kept"
            )
        elif run.offline:
            # Also what an interrupted training left: the client puts the pieces together.
            pieces = place.with_name("offline-run-*")
            remark(f"Weights & Biases: offline; `wandb sync {pieces}` uploads it")
        else:
            remove_staged(self.staging)
