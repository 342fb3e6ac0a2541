"""Every command and every piece of Python on the pages is run, in the order of its page."""

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.docs.answers import answer, status_of
from tests.docs.blocks import PAGES, Block, blocks_of, name_of
from tests.docs.sandbox import build, copy
from tests.docs.shell import Shell

# The door, and pages of cheap commands; the others train several times or start processes.
QUICK = {
    "CONTRIBUTING.md",
    "README.md",
    "docs/edits.md",
    "docs/evaluation.md",
    "docs/find_copies.md",
    "docs/how_it_works.md",
    "docs/index.md",
    "docs/reports.md",
    "docs/troubleshooting.md",
}
RUN = {
    page: [block for block in blocks_of(page) if block.language in ("sh", "python")]
    for page in PAGES
}
PARAMETERS = [
    pytest.param(page, id=name_of(page), marks=[] if name_of(page) in QUICK else pytest.mark.slow)
    for page in PAGES
    if any(block.exempt is None for block in RUN[page])
]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages find; made once, whatever the number of pytest's processes."""
    root = tmp_path_factory.getbasetemp()
    if root.name.startswith("popen-"):
        root = root.parent
    made = root / "pages"
    with FileLock(root / "pages.lock"):
        if not made.is_dir():
            shutil.rmtree(root / "pages.part", ignore_errors=True)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("XDG_CACHE_HOME", str(root / "pages.cache"))
                build(root / "pages.part")
            (root / "pages.part").rename(made)
    return made


@pytest.fixture
def shell(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    folder = tmp_path / "page"
    copy(base, folder)
    monkeypatch.setenv("SSCD_MODEL", str(base / "box.safetensors"))  # the real one is larger
    variables = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HF_HUB_OFFLINE": "1",
        "WANDB_MODE": "offline",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "200",
    }
    with contextlib.closing(Shell(folder, answer, variables)) as made:
        yield made


@pytest.mark.parametrize("page", PARAMETERS)
def test_the_commands_of_a_page(page: Path, shell: Shell) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    problems: list[str] = []
    for block in RUN[page]:
        if block.exempt is not None:
            continue
        if block.language == "sh":
            failures, printed = shell.run(block)
            problems.extend(f"{f.place} ended with status {f.status}" for f in failures)
            if failures:
                problems.append(printed)
        elif error := run_python(block, shell.folder, names):
            problems.append(f"{block.place}:\n{error}")
    assert not problems, "\n".join(problems)


def run_python(block: Block, folder: Path, names: dict[str, Any]) -> str:
    """Run a block of Python after those above it; returns what went wrong, or nothing."""

    def call() -> int:
        # Lines are those of the page in a traceback.
        code = compile("\n" * (block.line - 1) + block.text, name_of(block.page), "exec")
        exec(code, names)
        return 0

    errors = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stderr(errors):
        return errors.getvalue() or "?" if status_of(call) else ""
