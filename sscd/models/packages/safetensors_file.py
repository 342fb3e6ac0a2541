"""A trained network as safetensors: weights that hold no code, and what is said of them.

The tensors have the names of the network's own parameters and statistics; kernels and matrices may
be float16, and become float32 when they are read. The format is
https://huggingface.co/docs/safetensors; its metadata carry the texts of `metadata.py`.
"""

from pathlib import Path
from typing import Any

from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.models.checkpoint import TrainedNetwork, load_weights
from sscd.models.descriptor import DescriptorNet
from sscd.models.fingerprint import network_fingerprint
from sscd.models.packages.card import ModelCard
from sscd.models.packages.half import is_halved
from sscd.models.packages.metadata import PackageInfo, pack_info, unpack_info
from sscd.models.plain_file import first_line
from sscd.models.projection import DescriptorProjection


def write_package(path: Path, trained: TrainedNetwork, card: ModelCard) -> None:
    """Write a network with its card; the file is whole or not there.

    Args:
        path: The file to write.
        trained: The network, on any device.
        card: What is said of it.

    Raises:
        UserError: The file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    state = trained.network.state_dict()
    half = card.weights == "float16"
    tensors = {
        name: (value.half() if half and is_halved(name, value) else value)
        .detach()
        .cpu()
        .contiguous()
        for name, value in state.items()
    }
    with atomic_path(path) as temporary:
        try:
            # Others read "format" to learn which library the tensors are of.
            save_file(tensors, temporary, metadata={"format": "pt", **pack_info(trained, card)})
        except SafetensorError as error:  # how the library reports a write that fails
            raise OSError(None, first_line(error)[:200]) from error


def read_package(path: Path) -> TrainedNetwork:
    """Read a network back, in evaluation mode; its fingerprint is that of what was written.

    Raises:
        UserError: The file is missing, damaged, of another kind or of a later version, or its
            weights are not those that its card speaks of.
    """
    _check_there(path)
    texts, tensors = _read(path)
    info = unpack_info(texts, path=path)
    network = _rebuild(path, info, tensors)
    return TrainedNetwork(
        network.eval(),
        info.inference,
        recipe=info.card.recipe,
        figures=info.card.figures,
        threshold=info.card.threshold,
        licence=info.licence,
        name=info.card.name,
        projection=info.card.projection,
        stricter=info.card.stricter,
        calibration=info.calibration,
    )


def read_info(path: Path) -> PackageInfo:
    """Read what a package says of itself.

    Raises:
        UserError: The file is missing, damaged, of another kind or of a later version.
    """
    _check_there(path)
    return unpack_info(_read(path)[0], path=path)


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path} does not exist; name what `sscd export --model-only` wrote")


def _read(path: Path) -> tuple[dict[str, str], dict[str, Any]]:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            texts = file.metadata() or {}
            return texts, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # a header that lies makes the reader fail in any way at all
        reason = first_line(error)[:120]
        raise UserError(
            f"{path} is no whole safetensors file ({reason}); copy or export it again"
        ) from error


def _rebuild(path: Path, info: PackageInfo, tensors: dict[str, Any]) -> DescriptorNet:
    head = tensors.get("head.weight")
    if head is not None and head.shape[:1] != (info.config.dims,):  # before memory is taken
        raise UserError(
            f"{path} is damaged: its card says {info.config.dims} dimensions, and head.weight has "
            f"shape {tuple(head.shape)}; copy or export it again"
        )
    try:
        network = DescriptorNet(info.config)
        network.projection = _projection(info, tensors)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{path} describes no network: {first_line(error)}; export it again"
        ) from error
    load_weights(network, tensors, source=path)
    found = network_fingerprint(network)
    if found != info.card.fingerprint:
        raise UserError(
            f"{path} is damaged or was changed: its weights have fingerprint {found}, and it was "
            f"written with {info.card.fingerprint}; copy or export it again"
        )
    return network


def _projection(info: PackageInfo, tensors: dict[str, Any]) -> DescriptorProjection | None:
    """What follows the network's own descriptor in the file; None where nothing does.

    Raises:
        ValueError: It does not fit the network.
    """
    found = [tensors.get(f"projection.{part}") for part in ("mean", "matrix")]
    if found[0] is None or found[1] is None:  # where one alone is there, it is unknown
        return None
    projection = DescriptorProjection(found[0], found[1])
    if len(projection.mean) != info.config.dims:
        raise ValueError(
            f"its projection takes {len(projection.mean)} dimensions, and the network gives "
            f"{info.config.dims}"
        )
    return projection
