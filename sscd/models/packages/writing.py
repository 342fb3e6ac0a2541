"""A trained network to files in the formats asked for, with its card beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sscd.extras import require
from sscd.files import atomic_path
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.packages.capture import capture
from sscd.models.packages.card import ModelCard
from sscd.models.packages.card_page import card_page
from sscd.models.packages.metadata import pack_info
from sscd.models.packages.onnx_file import LIBRARIES, write_onnx
from sscd.models.packages.safetensors_file import write_package
from sscd.models.packages.torch_export_file import write_torch_export

PackageFormat = Literal["safetensors", "onnx", "torch_export"]

SUFFIXES: dict[PackageFormat, str] = {
    "safetensors": ".safetensors",
    "onnx": ".onnx",
    "torch_export": ".pt2",
}


@dataclass(frozen=True)
class PackedFile:
    """A file that was written.

    Attributes:
        format: Which.
        path: Where.
        bytes: How large.
        sizes: The picture sizes it takes: `any`, or one, as in `224x224`; None where it holds the
            weights alone, and takes what the network does.
        difference: The largest difference of a descriptor's coordinate from torch's, on random
            pictures; None where it holds the weights alone.
    """

    format: PackageFormat
    path: Path
    bytes: int
    sizes: str | None = None
    difference: float | None = None


def write_packages(
    trained: TrainedNetwork, card: ModelCard, paths: Sequence[tuple[PackageFormat, Path]]
) -> tuple[PackedFile, ...]:
    """Write a network in several formats.

    Args:
        trained: The network, on the CPU.
        card: What is said of it.
        paths: Formats and files.

    Returns:
        What was written, in order.

    Raises:
        UserError: A format cannot express the network, or a file cannot be written.
    """
    if any(kind == "onnx" for kind, _ in paths):
        require(*LIBRARIES)  # before a file is written, and minutes are spent on another format
    texts = pack_info(trained, card)
    others = any(kind != "safetensors" for kind, _ in paths)
    captured = capture(trained) if others else None
    written = []
    for kind, path in paths:
        if captured is None or kind == "safetensors":
            write_package(path, trained, card)
            written.append(PackedFile(kind, path, path.stat().st_size))
            continue
        write = write_onnx if kind == "onnx" else write_torch_export
        difference = write(path, captured, texts)
        written.append(PackedFile(kind, path, path.stat().st_size, captured.sizes, difference))
    return tuple(written)


def write_card(stem: Path, card: ModelCard, files: Sequence[PackedFile]) -> tuple[Path, Path]:
    """Write a card beside its files, for programs and for people.

    Args:
        stem: The files' path without suffix.
        card: The card.
        files: What was written.

    Returns:
        Where the JSON and the Markdown are.

    Raises:
        UserError: They cannot be written.
    """
    table, page = (stem.with_name(f"{stem.name}.card{end}") for end in (".json", ".md"))
    for path, text in ((table, card.encode(indent=1)), (page, card_page(card, files))):
        with atomic_path(path) as temporary:
            # A file's name may hold bytes that are no text.
            temporary.write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))
    return table, page
