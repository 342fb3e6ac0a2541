"""Files that may hold a network: what kind they are, read without running what they contain."""

import argparse
import contextlib
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any, Literal

import torch

from sscd.errors import UserError

FileKind = Literal["pickled", "torchscript", "safetensors"]

_LARGEST_HEADER = 100_000_000  # of a safetensors file, by its specification


def kind_of(path: Path) -> FileKind:
    """What a file is, by its first bytes and, for an archive, by its members.

    Raises:
        UserError: There is no such file, or it is of a kind that holds no network.
    """
    if not path.is_file():
        raise UserError(
            f"checkpoint {path} does not exist; name a .ckpt file of a training run, an exported "
            ".safetensors file or published weights"
        )
    with path.open("rb") as file:
        head = file.read(64)
    _refuse_others(path, head)
    if head.startswith(b"PK\x03\x04"):
        names = _members(path)
        if any(name.endswith("/archive_format") for name in names):
            raise UserError(
                f"checkpoint {path} is a torch.export program, whose weights have no names; give "
                "the checkpoint or the .safetensors file that it was made from"
            )
        if not any("/code/" in name for name in names):
            return "pickled"
        if path.suffix == ".safetensors":  # whoever trusts that name expects no code
            raise UserError(
                f"checkpoint {path} is no safetensors file but a TorchScript program; if you trust "
                "it, name it .torchscript.pt"
            )
        return "torchscript"
    header = int.from_bytes(head[:8], "little")
    return "safetensors" if head[8:9] == b"{" and header < _LARGEST_HEADER else "pickled"


def read_plain(path: Path) -> Any:
    """What `torch.save` has written, read with `weights_only=True`.

    Raises:
        UserError: The file holds code, is damaged, or is none of the kind.
    """
    try:
        # The settings of Lightning's older checkpoints are such a namespace; it runs nothing.
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        code = _code_in(path)
        if not code:
            raise _unreadable(path) from error
        weights = path.with_suffix(".weights.pt").name
        raise UserError(
            f"checkpoint {path} is no plain checkpoint: it holds code ({', '.join(code)}) beside "
            "weights. If you trust it, write its weights alone: torch.save({k: v for k, v in "
            f"torch.load({path.name!r}, weights_only=False).items() if k in ('state_dict', "
            f"'model_state')}}, {weights!r})"
        ) from error
    except Exception as error:  # other bytes make the unpickler fail in any way at all
        with path.open("rb") as file:
            begins_well = file.read(2) in (b"PK", b"\x80\x02")
        if not begins_well:
            raise _unreadable(path) from error
        raise UserError(f"checkpoint {path} is damaged: {first_line(error)[:150]}") from error


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its name where it has none."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _refuse_others(path: Path, head: bytes) -> None:
    if not head:
        raise UserError(f"checkpoint {path} is damaged: it is empty; fetch or write it again")
    if head.lstrip().startswith(b"<"):
        raise UserError(
            f"checkpoint {path} is a web page, not a model: its download went wrong; fetch it again"
        )
    if head.startswith(b"version https://git-lfs"):
        raise UserError(
            f"checkpoint {path} is a pointer of Git LFS, not the model itself; run `git lfs pull`"
        )
    if path.suffix == ".onnx":
        raise UserError(
            f"checkpoint {path} is an ONNX graph, whose weights have no names; give the "
            "checkpoint or the .safetensors file that it was made from"
        )


def _unreadable(path: Path) -> UserError:
    return UserError(
        f"checkpoint {path} is no plain checkpoint: torch cannot read it; give a .ckpt file that "
        "`sscd train` wrote, or published weights"
    )


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:  # what reads it says so
        return []


def _code_in(path: Path) -> list[str]:
    """Names of what a checkpoint would call when it is opened; empty where they are not found."""
    with contextlib.suppress(Exception):  # only for the message
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))[:3]
    return []
