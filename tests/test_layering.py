"""Imports run one way: each room knows only the rooms before it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sscd"
EVERYWHERE = {"errors", "extras", "files", "terminal", "vectors"}
# Room → the rooms it may import. `data` feeds `augment` pictures, and so knows it; no room before
# `training` knows how a network is trained, and none before `commands` prints.
ALLOWED = {
    "errors": set(),
    "extras": set(),
    "files": set(),
    "terminal": {"vectors"},
    "vectors": set(),
    "configs": set(),
    "arguments": set(),
    "endings": set(),
    "augment": {"configs"},
    "data": {"augment"},
    "models": {"augment", "data"},
    "losses": set(),
    "search": set(),
    "evaluation": {"data", "search"},
    "formats": {"data", "evaluation"},
    "describing": {"data", "models", "formats"},
    "baselines": {"augment", "data", "models", "search", "formats"},
    "attacks": {"augment", "data", "models"},
    "api": {"augment", "data", "models"},
    "report": {"augment", "data", "evaluation"},
    "training": {
        *("augment", "data", "models", "losses", "search", "evaluation", "formats", "report"),
        *("arguments", "attacks"),
    },
    "commands": {
        *("augment", "data", "models", "losses", "search", "evaluation", "formats"),
        *("training", "describing", "baselines", "attacks", "report", "configs", "arguments"),
    },
    "cli": {"arguments", "commands", "endings"},
}
# What is slow to import, and what may be absent, is imported by the functions that need it.
LAZY = {
    *("faiss", "wandb", "augly", "torchvision", "h5py", "pylibmagic", "pillow_heif"),
    *("cv2", "filelock", "fsspec", "kornia", "pilgram", "pyarrow", "ray", "scipy"),
    *("onnx", "onnxruntime", "onnxscript", "safetensors", "timm", "jinja2", "plotly"),
    *("imagehash", "pdqhash"),
}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own in ("__init__", "__main__"):
        return
    rooms = {room_of(name) for name in imports_of(path) if name.split(".")[0] == "sscd"} - {""}
    unexpected = rooms - ALLOWED[own] - EVERYWHERE - {own}
    assert not unexpected, f"{path} imports {unexpected}"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_slow_and_optional_libraries_wait(path: Path) -> None:
    eager = {name.split(".")[0] for name in imports_of(path, top_level=True)} & LAZY
    assert not eager, f"{path} imports {eager} when it is imported"


def test_every_room_is_known() -> None:
    rooms = {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in files()}
    assert rooms - {"__init__", "__main__"} == set(ALLOWED)


def test_the_table_has_no_cycle() -> None:
    settled: set[str] = set()
    while len(settled) < len(ALLOWED):
        ready = {r for r, needs in ALLOWED.items() if needs <= settled} - settled
        assert ready, f"a cycle among {set(ALLOWED) - settled}"
        settled |= ready
