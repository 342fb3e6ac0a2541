"""`sscd train`: parse, train, and say what came out and what to do next."""

from pathlib import Path
from typing import TYPE_CHECKING

from sscd.commands.train_help import asks_for_help, settle_help, short_help
from sscd.configs import check_config, find_config, recipe_of
from sscd.errors import Stopped
from sscd.terminal import Result, current_mode, print_result, say, working

if TYPE_CHECKING:
    from sscd.training.checkpoints.stop_signals import StopSignals
    from sscd.training.run.run_claim import RunClaim

DEFAULT_CONFIG = "quickstart"


def train(arguments: list[str]) -> Result | None:
    """Train a descriptor; without a configuration, the quickstart.

    Args:
        arguments: The command line, in which `--config NAME` may name a shipped configuration.

    Returns:
        What came out; None for ranks other than 0.

    Raises:
        UserError: A wrong argument, a data set or checkpoint that cannot be used, or a training
            that diverged.
        Stopped: A signal asked for it.
    """
    if asks_for_help(arguments):
        say(short_help())
        return None
    named, resolved = resolve_configs(settle_help(arguments))
    if not named:
        named = [find_config(DEFAULT_CONFIG)]
        resolved = [f"--config={named[0]}", *resolved]
    recipe = recipe_of(named)
    for path in named:
        check_config(path)
    from sscd.training.checkpoints.stop_signals import StopSignals
    from sscd.training.run.run_claim import RunClaim

    claim = RunClaim()
    with StopSignals() as signals:
        try:
            return _train(resolved, Path("runs") / _run_name(recipe), signals, claim)
        except Stopped as stopped:
            if signals.speaks and current_mode().json:
                from sscd.commands.run_result import interrupted

                print_result(interrupted(claim.run, stopped))
            raise


def _train(
    arguments: list[str], default_run: Path, signals: "StopSignals", claim: "RunClaim"
) -> Result | None:
    # Lightning and torch take seconds to import: a wrong name is answered before, and a signal
    # meanwhile.
    with working("loading Lightning"):
        from sscd.commands.conclude import conclude
        from sscd.training.cli import TrainCLI

    with claim:
        cli = TrainCLI(arguments, default_run=default_run, signals=signals, claim=claim)
        return conclude(cli) if cli.trainer.is_global_zero else None


def resolve_configs(arguments: list[str]) -> tuple[list[Path], list[str]]:
    """Put the configurations first, since options are over them, each name replaced by its file.

    Returns:
        Their files, and the command line.
    """
    named: list[Path] = []
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        option, equals, value = argument.partition("=")
        if option not in ("--config", "-c"):
            others.append(argument)
        elif equals:
            named.append(find_config(value))
        elif (following := next(rest, None)) is not None:
            named.append(find_config(following))
        else:
            others.append(argument)  # the parser says what is missing
    return named, [*(f"--config={path}" for path in named), *others]


def _run_name(config: Path) -> str:
    # A saved configuration lies in its run's directory: the replay is named after that.
    return config.absolute().parent.name if config.stem == "config" else config.stem
