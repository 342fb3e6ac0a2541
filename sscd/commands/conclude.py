"""What a training says at its end: figures beside simple descriptors, files, next steps."""

import shlex
from functools import partial
from pathlib import Path

from lightning import seed_everything
from rich.console import Console
from rich.table import Table

from sscd.baselines import SIMPLE_DESCRIPTORS
from sscd.commands.describer import Describer
from sscd.commands.export import write_descriptors
from sscd.commands.simple import describe_simply
from sscd.data.records import Collection
from sscd.evaluation.bootstrap import paired_difference
from sscd.evaluation.protocol import Descriptors, Evaluation, evaluate_descriptors
from sscd.models.descriptor import DescriptorNet
from sscd.report import best_matches, write_match_sheet
from sscd.training.checkpoint import load_network
from sscd.training.cli import TrainCLI


def conclude(cli: TrainCLI) -> None:
    """Print the figures, write the export, and name every file and what to do with it."""
    console = Console()
    collection = cli.datamodule.collection
    exported = cli.run.path / "track2.h5" if cli.setting("export") else None
    if cli.run.best.exists() and (exported or cli.setting("compare")):
        trained = load_network(cli.run.best).network
        described = _describe(cli, trained)
        if cli.setting("compare"):
            best = _judge(described, collection=collection, k=cli.model.neighbours)
            console.print(_comparison(cli, collection, best))
            write_match_sheet(
                _sheet(cli),
                best_matches(best.candidates, described["references"].ids),
                queries=collection.queries,
                references=collection.references,
            )
        if exported:
            write_descriptors(_describer(cli, trained), described, output=exported)
    console.print(_files(cli, exported), highlight=False, soft_wrap=True)


def _describer(cli: TrainCLI, network: DescriptorNet) -> Describer:
    data = cli.datamodule
    return Describer.build(
        network, data.inference, batch_size=data.eval_batch_size, workers=data.workers
    )


def _describe(cli: TrainCLI, network: DescriptorNet) -> dict[str, Descriptors]:
    describer, collection = _describer(cli, network), cli.datamodule.collection
    return {
        "queries": describer(collection.queries),
        "references": describer(collection.references),
    }


def _sheet(cli: TrainCLI) -> Path:
    return cli.run.path / "matches.jpg"


def _comparison(cli: TrainCLI, collection: Collection, best: Evaluation) -> Table:
    """The best checkpoint beside the untrained network and descriptors without training."""
    judge = partial(_judge, collection=collection, k=cli.model.neighbours)
    rows: dict[str, Evaluation] = {}
    seed_everything(int(cli.setting("seed_everything")), workers=True, verbose=False)
    rows["the same network, untrained"] = judge(
        _describe(cli, DescriptorNet(cli.model.network.config))
    )
    workers = cli.datamodule.workers
    for name, function in SIMPLE_DESCRIPTORS.items():
        sets = {"queries": collection.queries, "references": collection.references}
        described = {
            key: describe_simply(images, function, workers=workers) for key, images in sets.items()
        }
        rows[name] = judge(described)
    return _table(best, rows)


def _judge(described: dict[str, Descriptors], *, collection: Collection, k: int) -> Evaluation:
    return evaluate_descriptors(
        described["queries"], described["references"], collection.truth, k=k
    )


def _table(best: Evaluation, rows: dict[str, Evaluation]) -> Table:
    figures = best.figures
    table = Table(
        title=f"{figures.true_pairs} copies among {figures.queries} queries, "
        f"{figures.references} references, {figures.protocol}",
        title_justify="left",
    )
    table.add_column("descriptor")
    for heading in ("micro-AP", "recall at P90", "trained is ahead by (95 % interval)"):
        table.add_column(heading, justify="right")
    table.add_row("trained", f"{figures.micro_ap:.3f}", f"{figures.recall_at_p90:.3f}", "")
    for name, row in rows.items():
        ahead = paired_difference(best.candidates, row.candidates)
        table.add_row(
            name,
            f"{row.figures.micro_ap:.3f}",
            f"{row.figures.recall_at_p90:.3f}",
            f"{ahead.estimate:+.3f} ({ahead.low:+.3f} to {ahead.high:+.3f})",
        )
    return table


def _files(cli: TrainCLI, exported: Path | None) -> str:
    run = cli.run
    files = {
        "best checkpoint": run.best,
        "last checkpoint": run.last,
        "metrics": run.path / "metrics.csv",
        "configuration": run.config,
        "matches, to look at": _sheet(cli),
        "unreadable pictures": run.path / "skipped.txt",
        "track-2 descriptors": exported or run.path / "track2.h5",
    }
    lines = [f"  {name:<20} {path}" for name, path in files.items() if path.exists()]
    export = shlex.join(
        [
            *("python", "export.py", "--checkpoint", str(run.best)),
            *("--queries", "QUERIES", "--references", "REFERENCES", "--output", "track2.h5"),
        ]
    )
    steps = [
        "  train on your photographs:  python train.py --config photos --data.root DIR",
        f"  describe other folders:     {export}",
        "  the same run again:         "
        + shlex.join(["python", "train.py", "--config", str(run.config)]),
    ]
    return "\n".join(["", "files:", *lines, "", "next:", *steps])
