"""Judges a network on a benchmark, in the same four ways for every row."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.recipes.describing import Described, describe_benchmark
from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.results import outcome_file
from benchmarks.recipes.row import PostProcess, Row
from sscd.commands.evaluate import evaluate
from sscd.commands.postprocess import ProjectionChoice
from sscd.terminal import working


@dataclass(frozen=True)
class Way:
    """A way in which descriptors are judged.

    Attributes:
        name: Of its file.
        whitened: Whether by PCA whitening.
        normalised: Whether with score normalisation.
    """

    name: str
    whitened: bool
    normalised: bool

    def steps(self, post: PostProcess, *, own: int) -> tuple[ProjectionChoice, int | None]:
        """The projection, and the dimensions that are left with what normalisation adds.

        Descriptors that are too long to be judged as they are go through PCA.

        Args:
            post: Of the row.
            own: Dimensions of the network's descriptors.

        >>> RAW, _, NORMALISED, _ = WAYS
        >>> RAW.steps(PostProcess(), own=256), NORMALISED.steps(PostProcess(), own=256)
        (('none', None), ('pca', 256))
        >>> RAW.steps(PostProcess(), own=512), NORMALISED.steps(PostProcess(), own=128)
        (('pca', 256), ('none', None))
        """
        added = 1 if self.normalised else 0
        if self.whitened:
            return "whiten", min(post.dims, own + added)
        return ("pca", post.dims) if own + added > post.dims else ("none", None)


WAYS = (
    Way("raw", whitened=False, normalised=False),
    Way("whitened", whitened=True, normalised=False),
    Way("raw-normalised", whitened=False, normalised=True),
    Way("whitened-normalised", whitened=True, normalised=True),
)


def judge_network(
    row: Row, name: str, lab: Lab, benchmark: Benchmark, checkpoint: Path
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Describe and judge; an earlier result is removed, of which the evaluations go.

    Args:
        row: How pictures are described, and what happens to descriptors.
        name: Of the result's files.
        lab: Where.
        benchmark: Which one.
        checkpoint: The network.

    Returns:
        As `judge`, and what else is known of it.

    Raises:
        UserError: The pictures cannot be described or judged.
    """
    outcome_file(lab, benchmark, name).unlink(missing_ok=True)
    described = describe_benchmark(
        checkpoint,
        row.describe,
        lab=lab,
        benchmark=benchmark,
        work=lab.descriptors(benchmark, name),
    )
    ways = judge(
        described,
        row.postprocess,
        name=name,
        lab=lab,
        benchmark=benchmark,
        output=lab.results(benchmark) / name,
    )
    milliseconds = 1000 * described.cpu_seconds / described.pictures
    return ways, {"dims": described.dims, "milliseconds_a_picture": milliseconds}


def judge(
    described: Described,
    post: PostProcess,
    *,
    name: str,
    lab: Lab,
    benchmark: Benchmark,
    output: Path,
) -> dict[str, dict[str, Any]]:
    """Judge descriptors in every way, and write an evaluation for each, of both protocols.

    Args:
        described: The descriptors.
        post: What happens to them.
        name: What they are called.
        lab: Where the truth lies.
        benchmark: Which one.
        output: Directory of the evaluations.

    Returns:
        Way → figures by protocol, the dimensions and the projection.

    Raises:
        UserError: They cannot be judged.
    """
    shutil.rmtree(output, ignore_errors=True)
    found: dict[str, dict[str, Any]] = {}
    for way in WAYS:
        if ("whiten" if way.whitened else "none") not in post.projections:
            continue
        projection, dims = way.steps(post, own=described.dims)
        given = projection != "none" or way.normalised or post.stretch is not None
        with working(f"{name}: judging, {way.name}"):
            result = evaluate(
                [described.parts["queries"]],
                lab.truth(benchmark),
                references=[described.parts["references"]],
                training=[described.parts["normalisation"]] if given else None,
                projection=projection,
                dims=dims,
                stretch=post.stretch,
                score_norm=post.score_norm if way.normalised else None,
                edits=lab.edits(benchmark),
                output=output / f"{way.name}.h5",
                name=name,
                query_pictures=str(lab.queries(benchmark)),
                reference_pictures=str(lab.references(benchmark)),
                samples=0,
                device="cpu",
            )
        neighbours, overall = result.values["protocols"]
        found[way.name] = {
            "projection": projection,
            "dims": described.dims + way.normalised if dims is None else dims,
            "norm": post.score_norm if way.normalised else "",
            "neighbours": figures(neighbours),
            "global": figures(overall),
        }
    return found


def figures(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """What a result keeps of a protocol's figures."""
    kept = ("protocol", "micro_ap", "recall_at_p90", "threshold_at_p90", "recall_at_1")
    return {key: protocol[key] for key in kept if key in protocol}
