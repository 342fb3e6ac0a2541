"""What `sscd train` says at its end: figures beside simple descriptors, files, next steps."""

import shlex
import sys
import time
from pathlib import Path

from lightning import seed_everything
from rich.console import Console

from sscd.baselines import SIMPLE_DESCRIPTORS, describe_simply
from sscd.commands.choose_threshold import CALIBRATION_FILE
from sscd.commands.describing import Stopwatch
from sscd.commands.track2_output import make_record, say_export, write_export
from sscd.data.descriptors import Descriptors
from sscd.errors import UserError
from sscd.evaluation.calibration import calibrate, write_calibration
from sscd.evaluation.protocol import Evaluation, evaluate_descriptors
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.describer import Describer
from sscd.models.descriptor import DescriptorNet
from sscd.models.loading import load_network
from sscd.models.starting import start_from
from sscd.report.comparison import comparison_table
from sscd.report.matches import best_matches, write_match_sheet
from sscd.search.postprocessing.chain import PostProcessing
from sscd.terminal import say, warn
from sscd.training.cli import TrainCLI

Described = dict[str, Descriptors]


def conclude(cli: TrainCLI) -> None:
    """Print the figures, write the export, and name every file and what to do with it."""
    run = cli.run
    track2 = run.path / "track2.h5"
    if cli.setting("compare") and run.last.exists():
        _compare(cli)
    if cli.setting("export") and (chosen := _best(cli)):
        _export(cli, load_network(chosen), track2)
    say(_files(cli, track2))


def _export(cli: TrainCLI, trained: TrainedNetwork, track2: Path) -> None:
    """Write the descriptors of queries and references, and what thresholds are chosen by."""
    describer = _describer(cli, trained.network)
    begun = time.monotonic()
    described = _describe(cli, describer)
    pictures = sum(len(descriptors.ids) for descriptors in described.values())
    watch = Stopwatch(time.monotonic() - begun, pictures)
    chain = PostProcessing()
    record = make_record(describer, trained, chain, described, watch=watch)
    write_export(track2, described, chain, record)
    say_export(track2, describer.skipped)
    judged = evaluate_descriptors(
        described["queries"],
        described["references"],
        cli.datamodule.collection.truth,
        protocol="global",
    )
    calibration = calibrate(judged, origin=describer.origin, metric="l2")
    write_calibration(_calibration(cli), calibration)


def _best(cli: TrainCLI) -> Path | None:
    """The best checkpoint, or the last where no validation has chosen one."""
    return next((path for path in (cli.run.best, cli.run.last) if path.exists()), None)


def _describer(cli: TrainCLI, network: DescriptorNet) -> Describer:
    data = cli.datamodule
    return Describer.build(
        network,
        data.inference,
        batch_size=data.eval_batch_size,
        workers=data.workers,
        device="cuda" if cli.trainer.strategy.root_device.type == "cuda" else "cpu",
    )


def _describe(cli: TrainCLI, describer: Describer) -> Described:
    collection = cli.datamodule.collection
    return {
        "queries": describer(collection.queries),
        "references": describer(collection.references),
    }


def _compare(cli: TrainCLI) -> None:
    """Judge the trained network beside the untrained one and descriptors without training.

    The last checkpoint is judged: the best one was chosen on these very queries.
    """
    collection, workers = cli.datamodule.collection, cli.datamodule.workers
    trained = _describe(cli, _describer(cli, load_network(cli.run.last).network))
    name, before = _before(cli)
    described = {"trained": trained, name: _describe(cli, _describer(cli, before))}
    for name, function in SIMPLE_DESCRIPTORS.items():
        described[name] = {
            images.name: describe_simply(images, function, workers=workers)
            for images in (collection.queries, collection.references)
        }
    systems = {name: _judge(cli, sets) for name, sets in described.items()}
    Console().print(comparison_table(systems, against="trained"))
    write_match_sheet(
        _sheet(cli),
        best_matches(systems["trained"].candidates, trained["references"].ids),
        queries=collection.queries,
        references=collection.references,
    )


def _before(cli: TrainCLI) -> tuple[str, DescriptorNet]:
    """The network as it was before the training, and what to call it."""
    seed_everything(int(cli.setting("seed_everything")), workers=True, verbose=False)
    network = DescriptorNet(cli.model.network.config)
    if weights := cli.model.weights:
        try:
            start_from(network, weights)
        except UserError as error:  # a resumed training needs no file to start from
            warn(f"{error}; the trained network is compared with one of random weights")
        else:
            return "before training", network
    return "untrained network", network


def _judge(cli: TrainCLI, described: Described) -> Evaluation:
    return evaluate_descriptors(
        described["queries"],
        described["references"],
        cli.datamodule.collection.truth,
        k=cli.model.neighbours,
    )


def _calibration(cli: TrainCLI) -> Path:
    return cli.run.path / CALIBRATION_FILE


def _sheet(cli: TrainCLI) -> Path:
    return cli.run.path / "matches.jpg"


def _command(name: str) -> str:
    """A command as one would type it here: by its script, if this run was started by one."""
    if Path(sys.argv[0]).name not in ("train.py", "export.py"):
        return f"sscd {name}"
    if name in ("train", "export"):
        return f"{_here(Path(sys.executable), 'python')} {name}.py"
    return f"{_here(Path(sys.executable).with_name('sscd'), 'sscd')} {name}"


def _here(program: Path, otherwise: str) -> str:
    """A program of this directory by its path; others by their name."""
    near = program.is_file() and program.is_relative_to(Path.cwd())
    return shlex.quote(str(program.relative_to(Path.cwd())) if near else otherwise)


def _files(cli: TrainCLI, track2: Path) -> str:
    run = cli.run
    files = {
        "best checkpoint": run.best,
        "last checkpoint": run.last,
        "metrics": run.path / "metrics.csv",
        "configuration": run.config,
        "matches, to look at": _sheet(cli),
        "unreadable pictures": run.path / "skipped.txt",
        "track-2 descriptors": track2,
        "thresholds": _calibration(cli),
    }
    lines = [f"  {name:<20} {path}" for name, path in files.items() if path.exists()]
    steps = {}
    if cli.datamodule.root is None:
        steps["train on your photographs"] = f"{_command('train')} --config photos --data.root DIR"
    if chosen := _best(cli):
        steps["find copies in a folder"] = (
            f"{_command('dedup')} DIR --checkpoint {shlex.quote(str(chosen))}"
        )
        steps["describe other folders"] = (
            f"{_command('export')} --checkpoint {shlex.quote(str(chosen))} "
            "--queries QUERIES --references REFERENCES --output track2.h5"
        )
    steps["the same run again"] = f"{_command('train')} --config {shlex.quote(str(run.config))}"
    following = [f"  {what:<26} {command}" for what, command in steps.items()]
    return "\n".join(["", "files:", *lines, "", "next:", *following])
