"""`sscd export`: descriptors of queries and references as a track-2 file."""

import platform
from pathlib import Path

from rich.console import Console

from sscd import __version__
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode
from sscd.data.descriptors import Descriptors
from sscd.data.listing import scan_images
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.formats.track2 import MAX_DIMENSIONS, Track2, write_track2
from sscd.models.checkpoint import load_network
from sscd.models.describer import Describer, DeviceName
from sscd.search.whitening import Whitening


def export(
    checkpoint: Path,
    queries: Path,
    references: Path,
    output: Path,
    training: Path | None = None,
    dims: int | None = None,
    size: int | None = None,
    resize: ResizeMode | None = None,
    batch_size: int = 64,
    workers: int = 4,
    device: DeviceName = "auto",
) -> None:
    """Describe queries and references and write them as a track-2 HDF5 file.

    Args:
        checkpoint: A checkpoint that `sscd train` wrote.
        queries: Directory of the query pictures.
        references: Directory of the reference pictures.
        output: The HDF5 file to write.
        training: Directory of training pictures, to learn PCA whitening on.
        dims: Dimensions to keep when whitening; at most 256, by default the network's own.
        size: Pixels that pictures are resized to; by default as in the training's validation.
        resize: Which side `size` is of; by default as in the training's validation.
        batch_size: Pictures described at once.
        workers: Processes that decode pictures.
        device: Where the network runs.
    """
    trained = load_network(checkpoint)
    _check_dims(trained.network.config.dims, dims, whiten=training is not None)
    sets = {"queries": queries, "references": references}
    if training is not None:
        sets["training"] = training
    images = {name: scan_images(root, name=name).images for name, root in sets.items()}
    chosen = InferenceSize(
        size=size or trained.inference.size, mode=resize or trained.inference.mode
    )
    describer = Describer.build(
        trained.network, chosen, batch_size=batch_size, workers=workers, device=device
    )
    described = {name: describer(listed) for name, listed in images.items()}
    write_descriptors(describer, described, output=output, dims=dims)


def write_descriptors(
    describer: Describer,
    described: dict[str, Descriptors],
    *,
    output: Path,
    dims: int | None = None,
) -> None:
    """Whiten by `training`, if it is described, and write `queries` and `references`.

    Args:
        describer: What made the descriptors; what it could not read is listed beside the output.
        described: Descriptors of `queries`, `references` and, for whitening, `training`.
        output: The HDF5 file to write.
        dims: Dimensions to keep when whitening.

    Raises:
        UserError: Over 256 dimensions, or the output cannot be written.
    """
    vectors = {name: described[name].vectors for name in ("queries", "references")}
    if "training" in described:
        learnt = described["training"].vectors
        whitening = Whitening.fit(learnt, dims=dims or learnt.shape[1])
        vectors = {name: whitening.apply(rows) for name, rows in vectors.items()}
    track2 = Track2(
        query_ids=described["queries"].ids,
        queries=vectors["queries"],
        reference_ids=described["references"].ids,
        references=vectors["references"],
        attributes={
            "sscd_version": __version__,
            "backbone": describer.network.config.backbone,
            "inference_size": describer.inference.size,
            "inference_mode": describer.inference.mode,
            "whitened_on": len(described["training"].ids) if "training" in described else 0,
            "hardware": platform.processor() or platform.machine(),
        },
    )
    write_track2(output, track2)
    _say(output, track2, describer.skipped)


def _check_dims(own: int, dims: int | None, *, whiten: bool) -> None:
    if dims is not None and not whiten:
        raise UserError("--dims needs --training DIR: dimensions are reduced by PCA whitening")
    if dims is not None and not 1 <= dims <= own:
        raise UserError(f"--dims {dims} is out of range; the network gives {own} dimensions")
    if (dims or own) > MAX_DIMENSIONS:
        raise UserError(
            f"the descriptor has {dims or own} dimensions; track 2 takes at most {MAX_DIMENSIONS}: "
            f"add --training DIR --dims {MAX_DIMENSIONS}"
        )


def _say(output: Path, track2: Track2, skipped: SkipLog) -> None:
    console = Console()
    if skipped:
        listing = output.with_name(f"{output.name}.skipped.txt")
        skipped.write(listing)
        message = skipped.summary(file=str(listing))
        Console(stderr=True).print("warning:", message, style="yellow", soft_wrap=True)
    console.print(
        f"{output}: {len(track2.query_ids)} queries and {len(track2.reference_ids)} references, "
        f"{track2.queries.shape[1]} dimensions",
        highlight=False,
        soft_wrap=True,
    )
