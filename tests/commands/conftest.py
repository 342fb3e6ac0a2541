"""Pictures to make benchmarks of, and one that was made undisturbed."""

from pathlib import Path

import pytest
from PIL import ImageOps

from sscd.cli import main
from tests.commands.benchmarks import arguments, picture, tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "sub dir").mkdir(parents=True)
    for number in range(40):
        below, kind = (root, "jpg") if number % 3 else (root / "sub dir", "png")
        picture(number).save(below / f"{number}.{kind}")
    ImageOps.mirror(picture(1)).save(root / "mirrored.png")
    picture(2).resize((150, 112)).save(root / "larger.jpg")
    (root / "broken.jpg").write_bytes(b"x")
    (root / "notes.txt").write_text("x")
    return root


@pytest.fixture
def whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, bytes]:
    """The benchmark of an undisturbed run."""
    out = folder.parent / "whole"
    assert main(arguments(folder, out)) == 0, capsys.readouterr().err
    return tree(out)


@pytest.fixture
def no_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without a model in the box."""
    monkeypatch.delenv("SSCD_MODEL", raising=False)
    monkeypatch.setattr("sscd.models.box.model._in_package", lambda: tmp_path / "no model")
