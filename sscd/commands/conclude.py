"""What `sscd train` does at its end: a comparison with simple descriptors, and the export."""

import time
from pathlib import Path

from lightning import seed_everything
from rich.console import RenderableType

from sscd.baselines.simple import SIMPLE_DESCRIPTORS, describe_simply
from sscd.commands.choose_threshold import CALIBRATION_FILE
from sscd.commands.judging import watched_contents
from sscd.commands.run_report import REPORT_FILE, judged_systems, write_run_report
from sscd.commands.run_result import best_checkpoint, finished
from sscd.commands.track2_output import export_result, make_record, write_export
from sscd.commands.training_settings import training_settings
from sscd.data.descriptors import Descriptors
from sscd.data.stopwatch import Stopwatch
from sscd.errors import UserError
from sscd.evaluation.calibration import calibrate, write_calibration
from sscd.evaluation.protocol import Evaluation, evaluate_descriptors
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.describer import Describer
from sscd.models.descriptor import DescriptorNet
from sscd.models.loading import load_network
from sscd.models.starting import start_from
from sscd.report.comparison import comparison_table
from sscd.report.contents import Contents
from sscd.report.matches import best_matches, write_match_sheet
from sscd.search.postprocessing.chain import PostProcessing
from sscd.terminal import Result, tracked, warn, working
from sscd.training.cli import TrainCLI
from sscd.training.run.judgement import code_facts

Described = dict[str, Descriptors]

_TRAINED = "trained"


def conclude(cli: TrainCLI) -> Result:
    """Compare and export as configured; the result has figures, files and what to do with them."""
    run = cli.run
    contents: Contents | None = None
    shown: list[RenderableType] = []
    if cli.setting("compare") and run.last.exists():
        data = cli.datamodule
        systems = judged_systems(
            _compare(cli), data.collection, data=data.set_name, facts=_facts(cli)
        )
        contents = watched_contents(systems)
        write_run_report(run.path / REPORT_FILE, contents)
        shown.append(comparison_table(contents))
    if cli.setting("export") and (chosen := best_checkpoint(run)):
        exported = _export(cli, load_network(chosen), run.path / "track2.h5")
        shown += exported.shown
    return finished(
        run,
        contents=contents,
        shown=shown,
        own_pictures=cli.datamodule.root is not None,
    )


def _facts(cli: TrainCLI) -> dict[str, str]:
    """What identifies the network that is compared, beside its figures."""
    return {
        "checkpoint": str(cli.run.last.absolute()),
        "step": str(cli.trainer.global_step),
        **code_facts(),
        **training_settings(cli.run.path),
    }


def _export(cli: TrainCLI, trained: TrainedNetwork, track2: Path) -> Result:
    """Write the descriptors of queries and references, and what thresholds are chosen by."""
    describer = _describer(cli, trained.network)
    begun = time.monotonic()
    described = _describe(cli, describer)
    pictures = sum(len(descriptors.ids) for descriptors in described.values())
    watch = Stopwatch(time.monotonic() - begun, pictures)
    chain = PostProcessing()
    record = make_record(describer, trained, chain, described, watch=watch)
    write_export(track2, described, chain, record)
    with working("choosing thresholds"):
        judged = evaluate_descriptors(
            described["queries"],
            described["references"],
            cli.datamodule.collection.truth,
            protocol="global",
        )
        calibration = calibrate(judged, origin=describer.origin, metric="l2")
    write_calibration(cli.run.path / CALIBRATION_FILE, calibration)
    return export_result(track2, describer.skipped)


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


def _compare(cli: TrainCLI) -> dict[str, Evaluation]:
    """Judge the trained network beside the untrained one and descriptors without training.

    The last checkpoint is judged: the best one was chosen on these very queries.
    """
    collection, workers = cli.datamodule.collection, cli.datamodule.workers
    trained = _describe(cli, _describer(cli, load_network(cli.run.last).network))
    name, before = _before(cli)
    described = {_TRAINED: trained, name: _describe(cli, _describer(cli, before))}
    for name, function in SIMPLE_DESCRIPTORS.items():
        described[name] = {
            images.name: describe_simply(images, function, workers=workers)
            for images in (collection.queries, collection.references)
        }
    systems = {
        name: _judge(cli, sets)
        for name, sets in tracked(
            described.items(), "judging", total=len(described), unit="systems"
        )
    }
    write_match_sheet(
        cli.run.path / "matches.jpg",
        best_matches(systems[_TRAINED].candidates, trained["references"].ids),
        queries=collection.queries,
        references=collection.references,
    )
    return systems


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
