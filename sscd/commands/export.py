"""`sscd export`: descriptors of queries and references as a track-2 file, or the network alone."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from sscd.augment.tensors import ResizeMode
from sscd.commands.describing import DescribeOptions, SetDescriber, repeatable
from sscd.commands.export_model import ModelOptions, export_model
from sscd.commands.export_projection import LearntProjection
from sscd.commands.postprocess import (
    ProjectionChoice,
    Steps,
    check_origins,
    fit,
    process,
    saved_postprocessing,
    training_set,
)
from sscd.commands.track2_output import export_result, make_record, write_export
from sscd.data.descriptors import Descriptors
from sscd.describing.request import PARTITION
from sscd.errors import UserError
from sscd.evaluation.origins import check_same_origin
from sscd.files import check_output_place
from sscd.formats.track2.layouts import MAX_DIMENSIONS
from sscd.models.describer import DeviceName
from sscd.models.packages.half import WeightType
from sscd.models.packages.writing import PackageFormat
from sscd.models.seeing import Seeing
from sscd.search.postprocessing.chain import PostProcessing, Side
from sscd.terminal import Result


def export(
    checkpoint: Path,
    output: Path,
    queries: str | None = None,
    references: str | None = None,
    training: str | None = None,
    projection: ProjectionChoice | None = None,
    dims: int | None = None,
    stretch: str | None = None,
    score_norm: str | None = None,
    postprocessing: Path | None = None,
    size: int | None = None,
    resize: ResizeMode | None = None,
    scales: list[float] | None = None,
    mirror: bool | None = None,
    gem_p: float | None = None,
    batch_size: int = 64,
    workers: int | None = None,
    device: DeviceName = "auto",
    partition: int = PARTITION,
    processes: int | None = None,
    model_only: bool = False,
    format: list[PackageFormat] | None = None,  # noqa: A002
    calibration: Path | None = None,
    name: str | None = None,
    licence: str | None = None,
    weights: WeightType | None = None,
) -> Result | None:
    """Write track-2 descriptors of queries and references, or with --model-only the network alone.

    Interrupted, the same command goes on. Under torchrun or srun all ranks describe.

    Args:
        checkpoint: A checkpoint of `sscd train`, what --model-only wrote, or published weights.
        output: The HDF5 file to write; with --model-only a directory, or a file.
        queries: The query pictures: a folder, a list, shards or Parquet; or what `sscd describe`
            made of them.
        references: The reference pictures, likewise.
        training: Training pictures, likewise, to learn post-processing on; with --model-only the
            projection becomes part of the network.
        projection: What is learnt: none, center, pca or whiten; by default PCA whitening where
            there are training pictures.
        dims: Dimensions of the result, at most 256; by default as many as there are and go in.
        stretch: Negative embedding subtraction, WEIGHT[FIRST,LAST] with ranks from 0.
        score_norm: Score normalisation inside plain L2, WEIGHT[FIRST,LAST] with ranks from 0, at
            the price of one dimension; SSCD's is 1.0[0,2].
        postprocessing: An earlier output, whose post-processing is applied in place of learning.
        size: Pixels that pictures are resized to; by default as in the training's validation.
        resize: Which side `size` is of; by default as in the training's validation.
        scales: Sizes at which pictures are seen, times their sides, as in `1 1.4`; descriptors are
            the normalised mean, and each costs a pass; by default as the network says.
        mirror: Take the mean with mirror images, at twice the cost; by default as the network says.
        gem_p: Exponent of the pooling in the place of the network's own.
        batch_size: Pictures described at once.
        workers: Processes that decode pictures; by default 4, or one for each processor.
        device: Where the network runs.
        partition: Pictures of a part; parts are written beside the output and removed in the end.
        processes: How many describe on this machine; by default one for each GPU.
        model_only: Write the network with its model card, and describe nothing.
        format: With --model-only, one or more of safetensors, onnx and torch_export; by default
            what the name of the output says, or safetensors.
        calibration: With --model-only, what `sscd evaluate --calibration` wrote, for the card's
            threshold; by default the run's own, or the validation's.
        name: With --model-only, what the network is called; by default as the run or the output.
        licence: With --model-only, that of the weights, for the card.
        weights: With --model-only, how safetensors hold them: float32 by default, or float16 for
            half the bytes; they are float32 again when they are read.
    """
    of_model = {
        "format": format,
        "calibration": calibration,
        "name": name,
        "licence": licence,
        "weights": weights,
    }
    of_descriptors: dict[str, object] = {
        "queries": queries,
        "references": references,
        "stretch": stretch,
        "score_norm": score_norm,
        "postprocessing": postprocessing,
    }
    if model_only:
        _refuse(of_descriptors, "--model-only writes no descriptors; leave it out")
    else:
        _refuse(of_model, "only with --model-only; add that, or leave it out")
    seeing = Seeing(scales, mirror, gem_p)
    options = DescribeOptions(checkpoint, size, resize, batch_size, workers, device, seeing)
    steps = Steps.parse(
        projection=projection or ("whiten" if training and not postprocessing else "none"),
        dims=dims,
        stretch=stretch,
        score_norm=score_norm,
    )
    if model_only:
        learnt = LearntProjection.asked(training, steps, options, partition, processes)
        asked = ModelOptions(
            *(checkpoint, output, format or (), calibration, size, resize, name, licence),
            *(weights or "float32", learnt, seeing),
        )
        return export_model(asked)
    if queries is None or references is None:
        raise UserError(
            f"--{'queries' if queries is None else 'references'} is missing: give both sets of "
            "pictures, or --model-only to write the network alone"
        )
    if postprocessing is not None and steps.given:
        raise UserError("--postprocessing brings its own steps; leave the options of others out")
    saved = saved_postprocessing(postprocessing)
    if (steps.given or (saved is not None and saved.needs_training)) and training is None:
        raise UserError("post-processing is learnt on training pictures; give --training")
    _check_output(output)
    describer = SetDescriber(options, _parts(output), partition, processes)
    return _export_sets(describer, queries, references, training, steps, saved, output)


def _export_sets(
    describer: SetDescriber,
    queries: str,
    references: str,
    training: str | None,
    steps: Steps,
    saved: PostProcessing | None,
    output: Path,
) -> Result | None:
    """Describe the sets, post-process them and write the file, on rank 0."""
    device = describer.spec.device
    own = describer.trained.network.dims
    if saved is None:
        steps.projected_dims(own, limit=MAX_DIMENSIONS)
    with repeatable():
        described = _describe(describer, queries, references, training, steps, own=own)
    if described is None:
        return None
    chain, described = _processed(described, steps, saved, own=own, device=device)
    record = make_record(
        describer.spec.build(), describer.trained, chain, described, watch=describer.watch
    )
    write_export(output, described, chain, record)
    shutil.rmtree(_parts(output), ignore_errors=True)
    return export_result(output, describer.skipped)


def _refuse(options: Mapping[str, object], why: str) -> None:
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise UserError(f"{', '.join(given)}: {why}")


def _processed(
    described: dict[str, Descriptors],
    steps: Steps,
    saved: PostProcessing | None,
    *,
    own: int,
    device: DeviceName,
) -> tuple[PostProcessing, dict[str, Descriptors]]:
    """Post-processing, learnt or saved, and the finished queries and references."""
    learnt = described.get("training")
    if saved is None:
        chain, training = fit(steps, learnt, own=own, limit=MAX_DIMENSIONS)
    else:
        chain, training = saved, training_set(saved, learnt) if learnt else None
    sides: dict[str, Side] = {"queries": "query", "references": "reference"}
    return chain, {
        name: process(described[name], side, chain, training=training, device=device)
        for name, side in sides.items()
    }


def _describe(
    describer: SetDescriber,
    queries: str,
    references: str,
    training: str | None,
    steps: Steps,
    *,
    own: int,
) -> dict[str, Descriptors] | None:
    """All sets; None for ranks other than 0."""
    sources = {"queries": queries, "references": references}
    if training is not None:
        sources["training"] = training
    opened = {name: describer.open(source, name=name) for name, source in sources.items()}
    if learnt := opened.get("training"):
        wanted = steps.projected_dims(own, limit=MAX_DIMENSIONS)
        least = {"pca": wanted, "whiten": wanted + 1}.get(steps.projection or "", 0)
        if len(learnt.pictures) < least:
            raise UserError(
                f"PCA to {wanted} dimensions needs {least} training pictures; "
                f"{training} has {len(learnt.pictures)}: add pictures or lower --dims"
            )
    found: dict[str, Descriptors] = {}
    for name, source in sources.items():
        descriptors = describer.describe(
            source, opened[name], name=name, side="query" if name == "queries" else "reference"
        )
        if descriptors is not None:
            found[name] = descriptors
    if len(found) < len(sources):
        return None
    names = ("the checkpoint", "the queries")
    check_same_origin(describer.spec.origin, found["queries"].origin, names=names)
    for name in list(found)[1:]:
        check_origins(found["queries"], found[name], names=("the queries", f"the {name}"))
    return found


def _parts(output: Path) -> Path:
    return output.with_name(f"{output.name}.parts")


def _check_output(output: Path) -> None:
    if output.is_dir():
        raise UserError(f"--output {output} is a directory; give the name of a file in it")
    check_output_place(output)
