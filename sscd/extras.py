"""Libraries that not every installation has, and the extra that brings each."""

import importlib.util

from sscd.errors import UserError

EXTRAS = {
    "train": (
        *("lightning", "lightning_fabric", "lightning_utilities", "pytorch_lightning"),
        *("torchmetrics", "augly", "kornia", "cv2", "pilgram", "wandb", "pylibmagic", "magic"),
    ),
    "faiss": ("faiss",),
    "hashes": ("imagehash", "pdqhash"),
    "heic": ("pillow_heif",),
    "onnx": ("onnx", "onnxruntime", "onnxscript", "onnx_ir"),
    "ray": ("ray",),
    "report": ("jinja2", "plotly"),
    "shards": ("s3fs",),
    "timm": ("timm",),
}


def missing_extra(module: str) -> str | None:
    """One line on how to install a library; None where no extra brings it.

    Args:
        module: The name that could not be imported, with or without what follows a dot.
    """
    top = module.partition(".")[0]
    for extra, modules in EXTRAS.items():
        if top in modules:
            return f"this needs {top}, which is not installed; pip install 'sscd[{extra}]'"
    return None


def require(*modules: str) -> None:
    """Check that libraries are there, before long work begins.

    Raises:
        UserError: One is missing; the message says how to install it.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise UserError(missing_extra(module) or f"this needs {module}; pip install {module}")
