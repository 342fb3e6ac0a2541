"""`sscd preview`: training views as a configuration makes them, with what was drawn for each."""

import json
import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser

from sscd.arguments.errors import one_line_errors
from sscd.arguments.help_format import PlainHelp
from sscd.arguments.shared import describe_shared
from sscd.commands.train import DEFAULT_CONFIG, resolve_configs
from sscd.configs import check_config, find_config
from sscd.data.decode import UnreadableImage, open_image
from sscd.data.loading.training_views import TrainingViews
from sscd.data.module import CopyDetectionData
from sscd.data.records import Collection
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.report.view_sheet import PlannedViews, draw_view_sheet
from sscd.terminal import Result, warn

_PROG = "sscd preview"


def preview(arguments: list[str]) -> Result:
    """Write a contact sheet of training views, and open it where there is a screen.

    Args:
        arguments: The command line: `--config` and `--data.…` as for `sscd train`.

    Raises:
        UserError: A wrong argument, or a data set that cannot be used.
    """
    settings = _parse(arguments)
    for name, least in (("pictures", 1), ("tile", 16), ("epoch", 0), ("epochs", 1)):
        if settings[name] is not None and settings[name] < least:
            raise UserError(f"--{name} {settings[name]}: give at least {least}")
    if settings.output.suffix.lower() != ".png":
        raise UserError(f"--output {settings.output}: give a file that ends in .png")
    data: CopyDetectionData = settings.data
    data.prepare_data()
    data.setup("preview")
    _say_what_is_left_out(data.collection, Path(f"{settings.output}.skipped.txt"))
    if data.schedule().changes and settings.epochs is None:
        raise UserError("views change over this training; say with --epochs how long it is")
    views, epoch = data.training_views(settings.epochs), settings.epoch
    rows = _rows(views, pictures=settings.pictures, epoch=epoch)
    size = views.of_epoch(epoch).size
    title = f"{data.recipe.name}, {size} px, seed {data.seed}, epoch {epoch}"
    mixed = data.mixup.probability + data.mixup.overlay + data.mixup.collage
    if mixed > 0:  # whom a view is mixed with depends on its batch
        title += f"; before {mixed:.0%} of views are mixed"
    sheet = draw_view_sheet(rows, tile=settings.tile, title=title)
    with atomic_path(settings.output) as temporary:
        sheet.save(temporary, format="PNG")
    listing = settings.output.with_suffix(".json")
    plans = {row.name: [plan.as_json() for plan in row.plans] for row in rows}
    with atomic_path(listing) as temporary:
        temporary.write_text(json.dumps(plans, indent=1) + "\n", encoding="utf-8")
    if settings.open and _has_screen():
        webbrowser.open(settings.output.resolve().as_uri())
    line = f"{settings.output}: {len(rows)} pictures with their views; parameters in {listing}"
    values = {
        "output": str(settings.output),
        "parameters": str(listing),
        "pictures": len(rows),
        "views": sum(len(row.views) for row in rows),
    }
    return Result(values, [line])


def _parse(arguments: list[str]) -> Any:
    named, resolved = resolve_configs(arguments)
    if not named:
        named = [find_config(DEFAULT_CONFIG)]
        resolved = [f"--config={named[0]}", *resolved]
    for path in named:
        check_config(path)
    parser = ArgumentParser(
        formatter_class=PlainHelp,
        prog=_PROG,
        description="Write a contact sheet of training views, the parameters under each.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("--config", action="config", help="As for `sscd train`.")
    parser.add_class_arguments(CopyDetectionData, "data", fail_untyped=False)
    parser.add_argument("--output", type=Path, default=Path("preview.png"), help="A PNG file.")
    parser.add_argument("--pictures", type=int, default=6, help="Pictures, one a row.")
    parser.add_argument("--epoch", type=int, default=0, help="The epoch whose views are shown.")
    parser.add_argument(
        "--epochs",
        type=int | None,
        default=_epochs_of(named),
        help="Of the training, for views that change over it; as the configuration has it if null.",
    )
    parser.add_argument("--tile", type=int, default=200, help="Side of a picture on the sheet.")
    parser.add_argument("--open", type=bool, default=True, help="Show it, given a screen.")
    parser.add_argument("--seed_everything", type=int, default=0, help="As for `sscd train`.")
    parser.link_arguments("seed_everything", "data.seed")
    describe_shared(parser)
    with tempfile.TemporaryDirectory() as folder:
        copies = {}
        for number, path in enumerate(named):
            copies[str(path)] = Path(folder) / f"{number}.yaml"
            copies[str(path)].write_text(yaml.safe_dump(_of_views(path)), encoding="utf-8")
        with one_line_errors(_PROG, parser):
            parsed = parser.parse_args(_with_configs(resolved, copies))
    try:
        return parser.instantiate(parsed)
    except (ValueError, TypeError) as error:
        raise UserError(f"configuration: {error}") from error


def _epochs_of(configs: list[Path]) -> int | None:
    """How many epochs a training by these configurations has; None where they do not say."""
    epochs = None
    for config in configs:
        trainer = yaml.safe_load(config.read_text(encoding="utf-8")).get("trainer") or {}
        epochs = trainer.get("max_epochs", epochs)
    return epochs if isinstance(epochs, int) and epochs > 0 else None


def _of_views(config: Path) -> dict[str, Any]:
    """What a training's configuration says of its views; of the model it is left out."""
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    kept = {key: content[key] for key in ("data", "seed_everything") if key in content}
    if "seed" in kept.get("data", {}):  # a saved configuration holds what was linked, too
        kept["data"] = {key: value for key, value in kept["data"].items() if key != "seed"}
    return kept


def _with_configs(arguments: list[str], files: dict[str, Path]) -> list[str]:
    """The arguments with other files for those that `--config` and `-c` name."""
    replaced = list(arguments)
    for place, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if equals and option in ("--config", "-c"):
            replaced[place] = f"--config={files[value]}"
        elif argument in ("--config", "-c") and place + 1 < len(arguments):
            replaced[place : place + 2] = ["--config", str(files[arguments[place + 1]])]
    return replaced


def _rows(dataset: TrainingViews, *, pictures: int, epoch: int) -> list[PlannedViews]:
    rows: list[PlannedViews] = []
    for index in range(len(dataset)):
        if len(rows) == pictures:
            break
        name = dataset.images.id(index)
        try:
            source = dataset.images.source(index)
            with open_image(source, name=str(dataset.images.path(index))) as encoded:
                plans = dataset.plans(encoded.size, epoch=epoch, name=name)
                picture = encoded.load()
        except UnreadableImage as error:
            warn(f"{error}; left out")
            continue
        others = dataset.others.of(epoch)
        views = [plan.apply(picture, others=others) for plan in plans]
        drawn = [plan.plan for plan in plans]
        rows.append(PlannedViews(name=name, picture=picture, views=views, plans=drawn))
    if not rows:
        raise UserError("none of the training pictures can be read; check --data.root")
    return rows


def _say_what_is_left_out(collection: Collection, listing: Path) -> None:
    """As a training says it; what cannot be read is listed beside the sheet, not in a run."""
    broken = SkipLog()
    for path, reason in collection.unreadable:
        broken.add(path, reason)
    broken.write(listing)
    for line in collection.left_out:
        said = broken.summary(file=str(listing)) if line == broken.summary(file=None) else line
        warn("left out:", said)


def _has_screen() -> bool:
    if not sys.stdout.isatty():
        return False
    if sys.platform.startswith(("win", "darwin")):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
