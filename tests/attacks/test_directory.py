import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sscd.attacks.directory import (
    ATTACK_FILE,
    MANIFEST_FILE,
    file_of,
    read_attack,
    read_manifest,
)
from sscd.attacks.record import AttackedPicture
from sscd.data.listing import scan_images
from sscd.data.records import ImageSet
from sscd.errors import UserError


def written(folder: Path, **changes: Any) -> Path:
    """An attack of two pictures."""
    files = ["a.png", "sub/b c.png"]
    ids = ImageSet.from_names("x", root=folder, names=files).ids
    records = [
        AttackedPicture(one, f"from/{one}.jpg", file, "00", 40.0, 40.0, 0.9, 0.5)
        for one, file in zip(ids, files, strict=True)
    ]
    for record in records:
        (folder / record.file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(folder / record.file)
    text = "".join(f"{record.line()}\n" for record in records)
    (folder / MANIFEST_FILE).write_text(text)
    request = {"model": "0123", "preprocessing": "32 square", "psnr": 40.0, "steps": 100}
    content = {
        "format": 1,
        "finished": True,
        "name": "small",
        "backbone": "resnet18",
        "request": request,
        "summary": {"pictures": 2, "psnr": {"mean": 39.99}},
    }
    (folder / ATTACK_FILE).write_text(json.dumps(content | changes))
    return folder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    attack = read_attack(written(tmp_path))
    assert (attack.name, attack.model, attack.backbone) == ("small", "0123", "resnet18")
    assert (attack.target_psnr, attack.mean_psnr, attack.steps) == (40.0, 39.99, 100)
    assert attack.pictures.ids == ["a", "sub/b%20c"] == [record.id for record in attack.records]
    assert attack.pictures.path(1) == tmp_path / "sub" / "b c.png"


def test_a_line_that_was_cut_off_is_dropped_and_the_last_of_an_id_counts(tmp_path: Path) -> None:
    manifest = written(tmp_path) / MANIFEST_FILE
    first, second = manifest.read_text().splitlines()
    manifest.write_text(f"{first}\n{second}\n{first.replace('0.5', '0.25')}\n{second[:20]}")
    records = read_manifest(tmp_path)
    assert [(one, record.cosine) for one, record in records.items()] == [
        ("sub/b%20c", 0.5),
        ("a", 0.25),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"finished": False}, "not finished; run its command again"),
        ({"finished": "yes"}, "does not say whether it is finished"),
        ({"format": 2}, "has format 2; this version reads 1"),
        ({"request": 3}, "has no request"),
        ({"request": {}}, "damaged: KeyError 'model'"),
        ({"summary": None}, "damaged"),
        ({"summary": {"pictures": 3, "psnr": {"mean": 1.0}}}, "do not agree"),
    ],
)
def test_what_is_no_finished_attack_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        read_attack(written(tmp_path, **changes))
    assert "\n" not in str(refused.value)


def test_what_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"attack.json: No such file .* `sscd attack` wrote"):
        read_attack(tmp_path)
    written(tmp_path)
    (tmp_path / "a.png").unlink()
    with pytest.raises(UserError, match=r"lacks a.png \(1 of 2 pictures\)"):
        read_attack(tmp_path)
    (tmp_path / ATTACK_FILE).write_bytes(b"\xff{")
    with pytest.raises(UserError, match="is no JSON"):
        read_attack(tmp_path)


@pytest.mark.parametrize("file", ["../a.png", "/etc/a.png", "x/../../a.png", "", "https://a/b"])
def test_a_manifest_cannot_point_elsewhere(tmp_path: Path, file: str) -> None:
    manifest = written(tmp_path) / MANIFEST_FILE
    manifest.write_text(manifest.read_text().replace('"a.png"', json.dumps(file)))
    with pytest.raises(UserError, match="outside"):
        read_attack(tmp_path)


@pytest.mark.parametrize("names", [["a.jpg", "a.png"], ["b c/é.jpg"], ["x.y.jpg", 'q"%,.png']])
def test_a_file_has_the_id_of_its_source_again(tmp_path: Path, names: list[str]) -> None:
    ids = ImageSet.from_names("x", root=tmp_path, names=names).ids
    for image_id in ids:
        path = tmp_path / file_of(image_id, suffix=".png")
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (2, 2)).save(path)
    assert sorted(scan_images(tmp_path, name="x").images.ids) == sorted(ids)


@pytest.mark.parametrize("image_id", ["/a/b", "../a", "https://host/a", "a/%2E%2E/%2E%2E/b"])
def test_a_picture_from_elsewhere_has_no_place(image_id: str) -> None:
    with pytest.raises(UserError, match="has no place below --output"):
        file_of(image_id, suffix=".png")
