"""The W&B client: opened online or else offline, and ended within a time."""

import contextlib
import importlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from sscd.errors import UserError
from sscd.files import check_writable_directory
from sscd.terminal import warn

Mode = Literal["online", "offline"]
INIT_SECONDS = 30.0
"""How long the server may take to accept a run."""
FLUSH_SECONDS = 2.0
"""What a client that is killed loses."""


def open_run(
    arguments: dict[str, Any], *, mode: Mode, wait: float, given_up: Callable[[], bool]
) -> Any:
    """Begin a run; where the server cannot be had, offline, with a warning.

    Args:
        arguments: Of `wandb.init`, with `dir`.
        mode: What to try first.
        wait: Seconds that the end of the run waits for uploads.
        given_up: Whether nobody wants the run any more, since the training has ended meanwhile.

    Returns:
        A `wandb.Run`.

    Raises:
        Exception: Whatever `wandb.init` raises offline.
    """
    import wandb

    run_dir = Path(arguments["dir"])
    for name, value in _surroundings(run_dir).items():
        os.environ.setdefault(name, value)
    if not _can_write(wandb.env.get_cache_dir()):
        # Its process would print its log into the terminal, for want of a file.
        os.environ[wandb.env.CACHE_DIR] = str(run_dir.absolute() / "wandb" / "cache")
    settings = wandb.Settings(
        # Lines of ours say what matters; a captured console could block on a client that hangs.
        silent=True,
        console="off",
        init_timeout=INIT_SECONDS,
        finish_timeout=wait,
        finish_timeout_raises=True,
    )
    with contextlib.suppress(Exception):  # a private setting, which another version may not have
        settings.x_transaction_log_flush_interval = FLUSH_SECONDS
    if mode == "online":
        try:
            return _quiet(wandb.init(**arguments, mode="online", settings=settings))
        except Exception as error:  # any: the network, the key, the project, the client
            if given_up():
                raise
            warn(
                f"Weights & Biases cannot be reached ({reason(error)}); the run is kept offline in "
                f"{arguments['dir']}/wandb for `wandb sync`"
            )
            shut_down()
    return _quiet(wandb.init(**arguments, mode="offline", settings=settings))


def _surroundings(run_dir: Path) -> dict[str, str]:
    return {
        # What is staged for a later upload lies with the run, not in a home directory.
        "WANDB_DATA_DIR": str(run_dir.absolute() / "wandb" / "data"),
        "WANDB_SILENT": "true",  # also before there are settings
        "WANDB_ERROR_REPORTING": "false",  # which prints, where its own server cannot be had
    }


def _can_write(folder: Path) -> bool:
    try:
        check_writable_directory(folder)
    except UserError:
        return False
    return True


def _quiet(run: Any) -> Any:
    """A run whose `debug.log` on a full disk does not fill the terminal with tracebacks."""
    for handler in logging.getLogger("wandb").handlers:
        handler.handleError = _ignore  # type: ignore[method-assign]
    return run


def _ignore(record: logging.LogRecord) -> None:
    pass


def import_all() -> None:
    """Import, on the main thread, what the client will need, so far as it is there.

    A loader's worker that is forked while another thread imports a module waits for ever where it
    imports that one, too: pandas, which the client looks at for tables, brings pyarrow along.
    What fails is said when the run is opened.
    """
    for module in ("wandb", "pandas"):
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    Image.init()


def define_axes(run: Any) -> None:
    """The x-axis of all panels, and which figures' best is the summary."""
    run.define_metric("trainer/global_step")
    run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    for figure in ("micro_ap", "macro_ap", "recall_at_p90", "recall_at_1", "recall_at_10"):
        run.define_metric(
            f"val/{figure}", step_metric="trainer/global_step", step_sync=True, summary="max,last"
        )


def shut_down() -> None:
    """End the client's own process, having waited as its settings say."""
    import wandb

    with contextlib.suppress(Exception, SystemExit):
        wandb.teardown()


def service() -> Any:
    """The client's connection to its own process; None where there is none."""
    with contextlib.suppress(Exception):  # private names, which another version may not have
        from wandb.sdk import wandb_setup

        return wandb_setup.singleton()._connection
    return None


def kill_service(connection: Any) -> None:
    """End the client's own process at once; what it had not uploaded stays on disk."""
    with contextlib.suppress(Exception):
        connection._cleanup()  # at exit the client would wait for that process
    with contextlib.suppress(Exception):
        connection._proc._process.kill()


def reason(error: BaseException) -> str:
    """An error in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
