"""`sscd export`: descriptors of queries and references as a track-2 file."""

from pathlib import Path

from sscd import __version__
from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import ResizeMode
from sscd.data.descriptors import Descriptors
from sscd.data.listing import scan_images
from sscd.data.records import ImageSet
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.files import check_writable_directory
from sscd.formats.track2 import Track2, check_track2_dims, read_track2, write_track2
from sscd.models.checkpoint import load_network
from sscd.models.describer import Describer, DeviceName
from sscd.search.whitening import Whitening
from sscd.terminal import say, warn


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
    _check_options(size=size, batch_size=batch_size, workers=workers)
    trained = load_network(checkpoint)
    _check_dims(trained.network.config.dims, dims, whiten=training is not None)
    _check_output(output)
    folders = {"queries": queries, "references": references}
    if training is not None:
        folders["training"] = training
    sets: dict[str, ImageSet] = {}
    for name, root in folders.items():
        listing = scan_images(root, name=name)
        for line in listing.left_out:
            warn(line)
        sets[name] = listing.images
    wanted = dims or trained.network.config.dims
    if "training" in sets and len(sets["training"]) < wanted:
        raise UserError(
            f"whitening to {wanted} dimensions needs as many training pictures; "
            f"{training} has {len(sets['training'])}: add pictures or lower --dims"
        )
    inference = InferenceSize(
        size=size or trained.inference.size, mode=resize or trained.inference.mode
    )
    describer = Describer.build(
        trained.network, inference, batch_size=batch_size, workers=workers, device=device
    )
    described = {name: describer(images) for name, images in sets.items()}
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
            "hardware": describer.hardware,
        },
    )
    write_track2(output, track2)
    _say(output, read_track2(output), describer.skipped)


def _check_options(*, size: int | None, batch_size: int, workers: int) -> None:
    if size is not None and size < 16:
        raise UserError(f"--size {size} is too small; give at least 16 pixels")
    if batch_size < 1 or workers < 0:
        raise UserError(
            f"--batch_size {batch_size} --workers {workers}: give a batch of at least 1 and "
            "0 workers or more"
        )


def _check_dims(own: int, dims: int | None, *, whiten: bool) -> None:
    if dims is not None and not whiten:
        raise UserError("--dims needs --training DIR: dimensions are reduced by PCA whitening")
    if dims is not None and not 1 <= dims <= own:
        raise UserError(f"--dims {dims} is out of range; the network gives {own} dimensions")
    check_track2_dims(dims or own)


def _check_output(output: Path) -> None:
    if output.is_dir():
        raise UserError(f"--output {output} is a directory; give the name of a file in it")
    check_writable_directory(output.parent)


def _say(output: Path, track2: Track2, skipped: SkipLog) -> None:
    if skipped:
        listing = output.with_name(f"{output.name}.skipped.txt")
        skipped.write(listing)
        warn(skipped.summary(file=str(listing)))
    say(
        f"{output}: {len(track2.query_ids)} queries and {len(track2.reference_ids)} references, "
        f"{track2.queries.shape[1]} dimensions"
    )
