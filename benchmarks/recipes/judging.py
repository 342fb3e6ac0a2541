"""Judges a trained row on a benchmark, in the same four ways as every other row."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.row import PostProcess
from benchmarks.recipes.spent import cpu_seconds
from sscd.commands.describe import describe
from sscd.commands.evaluate import evaluate
from sscd.commands.postprocess import ProjectionChoice
from sscd.errors import UserError
from sscd.terminal import working

Side = Literal["queries", "references", "normalisation"]
SIDES: tuple[Side, ...] = ("queries", "references", "normalisation")
# Options of `sscd describe` that say where and how fast, not what a descriptor is.
_OURS = (
    *("source", "output", "checkpoint", "engine", "batch_size", "workers", "device", "partition"),
    *("processes", "ray_address", "actors", "cpus_per_actor", "gpus_per_actor", "cache"),
    "cache_gb",
)


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


@dataclass(frozen=True)
class Described:
    """A row's descriptors of a benchmark.

    Attributes:
        parts: Where those of each side lie.
        dims: Their length.
        pictures: How many.
        cpu_seconds: What describing took of the processor.
    """

    parts: Mapping[Side, Path]
    dims: int
    pictures: int
    cpu_seconds: float


def describe_benchmark(
    checkpoint: Path, options: Mapping[str, Any], *, lab: Lab, benchmark: Benchmark, work: Path
) -> Described:
    """Describe queries, references and normalisation pictures anew, in this process.

    Args:
        checkpoint: The network.
        options: A row's `describe`.
        lab: Where the pictures lie.
        benchmark: Which one.
        work: Where descriptors go; what is there is removed.

    Raises:
        UserError: An option is wrong, or pictures cannot be described.
    """
    from sscd.arguments.functions import parse_function

    shutil.rmtree(work, ignore_errors=True)
    sources: dict[Side, Path] = {
        "queries": lab.queries(benchmark),
        "references": lab.references(benchmark),
        "normalisation": lab.pictures("normalisation"),
    }
    before, dims, pictures = cpu_seconds(), 0, 0
    for side in SIDES:
        arguments = [str(sources[side]), str(work / side), "--checkpoint", str(checkpoint)]
        arguments += ["--workers", "0", *arguments_of(options)]
        parsed = parse_function(
            describe, arguments, prog="row: describe", positional=("source", "output")
        )
        done = describe(**parsed)
        if done is None:
            raise UserError("start the laboratory without torchrun or srun")
        if done.values["unreadable"]:
            raise UserError(f"{sources[side]} has pictures that cannot be read; prepare it again")
        dims, pictures = int(done.values["dims"]), pictures + int(done.values["described"])
    return Described({side: work / side for side in SIDES}, dims, pictures, cpu_seconds() - before)


def arguments_of(options: Mapping[str, Any]) -> list[str]:
    """A row's `describe` as options of `sscd describe`.

    Raises:
        UserError: It sets what the laboratory sets.

    >>> arguments_of({"size": 80, "mirror": True, "scales": [1.0, 1.4]})
    ['--size', '80', '--mirror', 'true', '--scales', '1.0', '1.4']
    """
    written: list[str] = []
    for key, value in options.items():
        if key in _OURS:
            raise UserError(f"describe.{key} is set by the laboratory; leave it out")
        values = value if isinstance(value, list) else [value]
        texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
        written += [f"--{key}", *texts]
    return written


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


def headline(ways: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The better of raw and whitened, without and with score normalisation.

    >>> at = lambda micro_ap: {"neighbours": {"micro_ap": micro_ap}}
    >>> headline({"raw": at(0.5), "whitened": at(0.4), "raw-normalised": at(0.6)})
    {'plain': 'raw', 'normalised': 'raw-normalised'}
    """
    best = {}
    for kind, normalised in (("plain", False), ("normalised", True)):
        names = [way.name for way in WAYS if way.normalised is normalised and way.name in ways]
        best[kind] = max(names, key=lambda name: float(ways[name]["neighbours"]["micro_ap"]))
    return best
