"""What the client does on a thread of its own must not harm workers that are forked meanwhile."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PROGRAM = """
import json, sys, threading
from pathlib import Path
from sscd.evaluation.report import make_report
from sscd.report.weights_and_biases.panels import panels_of
from sscd.training.run.weights_and_biases.log import WandbLog
from sscd.training.run.weights_and_biases.settings import WandbConfig
from tests.report.weights_and_biases.judged import small_judged, small_pictures

folder = Path(sys.argv[1])
log = WandbLog(folder, WandbConfig(), mode="offline")
log.log_hyperparams({"lr": 0.5})  # as a training begins; workers are forked from now on
asked = set()

class Asked:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is not threading.main_thread():
            asked.add(name)

sys.meta_path.insert(0, Asked())
report, pictures = make_report(small_judged(), samples=5), small_pictures(folder)
log.do(lambda run: run.log(panels_of(report, pictures, rows=5), step=1), asks_server=True)
log.finalize("success")
print(json.dumps(sorted(asked & set(sys.modules))))
"""


@pytest.mark.slow
def test_panels_import_nothing_that_workers_import_too(tmp_path: Path) -> None:
    """A worker that is forked amid an import of another thread waits for ever for its lock."""
    pytest.importorskip("wandb")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    )
    imported = json.loads(done.stdout.splitlines()[-1])
    shared = ("pandas", "pyarrow", "PIL", "numpy", "torch", "h5py", "fsspec")
    assert [name for name in imported if name.partition(".")[0] in shared] == []
