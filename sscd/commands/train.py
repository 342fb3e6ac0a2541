"""`sscd train`: parse, train, and say what came out and what to do next."""

from pathlib import Path

from sscd.arguments import one_line_errors
from sscd.configs import check_config, find_config, recipe_of

DEFAULT_CONFIG = "quickstart"


def train(arguments: list[str]) -> None:
    """Train a descriptor; without a configuration, the quickstart.

    Args:
        arguments: The command line, in which `--config NAME` may name a shipped configuration.

    Raises:
        UserError: A wrong argument, a data set or checkpoint that cannot be used, or a training
            that diverged.
        Stopped: A signal asked for it.
    """
    named, resolved = resolve_configs(arguments)
    if not named:
        named = [find_config(DEFAULT_CONFIG)]
        resolved = ["--config", str(named[0]), *resolved]
    recipe = recipe_of(named)
    for path in named:
        check_config(path)
    from sscd.training.checkpoints.stop_signals import StopSignals

    with StopSignals() as signals:
        # Lightning and torch take seconds to import: a wrong name is answered before, and a signal
        # meanwhile.
        from sscd.commands.conclude import conclude
        from sscd.training.cli import TrainCLI
        from sscd.training.run.run_claim import RunClaim

        with RunClaim() as claim:
            with one_line_errors("sscd train"):
                run = Path("runs") / _run_name(recipe)
                cli = TrainCLI(resolved, default_run=run, signals=signals, claim=claim)
            if cli.trainer.is_global_zero:
                conclude(cli)


def resolve_configs(arguments: list[str]) -> tuple[list[Path], list[str]]:
    """Replace the name of each configuration by its file."""
    named: list[Path] = []
    resolved: list[str] = []
    expects_name = False
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if expects_name:
            named.append(find_config(argument))
            resolved.append(str(named[-1]))
            expects_name = False
        elif option in ("--config", "-c") and equals:
            named.append(find_config(value))
            resolved.append(f"--config={named[-1]}")
        else:
            expects_name = option in ("--config", "-c")
            resolved.append(argument)
    return named, resolved


def _run_name(config: Path) -> str:
    # A saved configuration lies in its run's directory: the replay is named after that.
    return config.absolute().parent.name if config.stem == "config" else config.stem
