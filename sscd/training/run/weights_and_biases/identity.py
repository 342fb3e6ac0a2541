"""The id of a run in W&B, which a resumed training keeps."""

import json
import secrets
from pathlib import Path

from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.terminal import warn

FILE = "wandb/run_id.json"


def run_id(run_dir: Path) -> str:
    """The id kept in a run directory; a new one is made and kept there."""
    path = run_dir / FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["id"]
        if isinstance(kept, str) and kept.isalnum():
            return kept
    except (OSError, ValueError, KeyError, TypeError):
        pass  # a new run, or a file that is of no use
    made = secrets.token_hex(4)
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps({"id": made}), encoding="utf-8")
    except UserError as error:
        warn(f"{error}; a resumed training will be another run in Weights & Biases")
    return made
