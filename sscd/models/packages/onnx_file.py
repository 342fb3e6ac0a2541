"""A trained network as ONNX, for runtimes without torch (https://onnx.ai).

Input `pictures`: uint8 (batch, 3, height, width), RGB; the graph normalises. Output `descriptors`:
float32 (batch, D), unit rows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sscd.errors import UserError
from sscd.extras import require
from sscd.files import atomic_path
from sscd.models.packages.capture import Capture, quiet
from sscd.models.plain_file import first_line

INPUT = "pictures"
OUTPUT = "descriptors"
LIBRARIES = ("onnx", "onnxruntime", "onnxscript")
"""What writing needs; the extra `onnx` brings them."""
LARGEST = 1_900_000_000
"""Bytes of weights that fit one ONNX file: Protocol Buffers end at 2 GiB."""


def write_onnx(path: Path, captured: Capture, texts: Mapping[str, str]) -> float:
    """Write a network as one ONNX file, once ONNX Runtime agrees with torch on it.

    Args:
        path: The file to write.
        captured: The network.
        texts: What the file says of itself, as its metadata.

    Returns:
        The largest difference of a coordinate from torch's, on random pictures.

    Raises:
        UserError: A library is missing, the network is too large or cannot be expressed, ONNX
            Runtime computes something else, or the file cannot be written.
    """
    require(*LIBRARIES)
    size = sum(value.nbytes for value in captured.network.state_dict().values())
    if size > LARGEST:
        raise UserError(
            f"{path}: {size / 1e9:.1f} GB of weights do not fit one ONNX file; use safetensors"
        )
    program = _convert(path, captured)
    program.model.metadata_props.update(texts)
    program.model.producer_name = "sscd"
    with atomic_path(path) as temporary:
        program.save(temporary, external_data=False)
        session = open_session(temporary)
        return captured.check(lambda pictures: run_session(session, pictures), what=str(path))


def open_session(path: Path) -> Any:
    """Open an ONNX file on the CPU.

    Raises:
        Exception: ONNX Runtime's own, where it cannot.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )


def run_session(session: Any, pictures: Tensor) -> Tensor:
    """Describe pictures (batch, 3, height, width) uint8 with a file that is open."""
    (described,) = session.run([OUTPUT], {INPUT: pictures.numpy()})
    return torch.from_numpy(described)


def _convert(path: Path, captured: Capture) -> Any:
    axes = {0: "batch"} if captured.side is not None else {0: "batch", 2: "height", 3: "width"}
    try:
        with quiet(), torch.no_grad():
            return torch.onnx.export(
                captured.program,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=(axes,),
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # the exporter fails in any way at all
        raise UserError(
            f"{path}: the network cannot be written as ONNX ({first_line(error)[:200]}); use "
            "safetensors"
        ) from error
