from pathlib import Path

from PIL import Image

from sscd.data.records import ImageSet
from sscd.report.group_sheet import write_group_sheet

COLORS = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]


def test_groups_stand_side_by_side_while_they_fit(tmp_path: Path) -> None:
    for index, color in enumerate(COLORS):
        Image.new("RGB", (40, 40), color).save(tmp_path / f"{index}.png")
    (tmp_path / "3.png").write_bytes(b"broken")
    pictures = ImageSet.from_names("all", root=tmp_path, names=[f"{i}.png" for i in range(4)])
    pair = ("a pair", [0, 1], [-0.1, -0.1])
    sizes = []
    for count in (1, 2, 3):
        path = tmp_path / f"{count}.jpg"
        write_group_sheet(path, [pair] * count, pictures, columns=5, tile=40)
        with Image.open(path) as sheet:
            sizes.append(sheet.size)
            near = [sheet.getpixel((x, 56)) for x in (28, 76)]
        for got, color in zip(near, COLORS, strict=False):
            assert isinstance(got, tuple)
            assert max(abs(a - b) for a, b in zip(got, color, strict=True)) < 30
    assert sizes[0] == sizes[1]
    assert sizes[2] == (sizes[0][0], 2 * sizes[0][1])


def test_large_groups_are_cut_and_unreadable_pictures_are_grey(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"broken")
    pictures = ImageSet.from_names("all", root=tmp_path, names=["0.png"])
    write_group_sheet(tmp_path / "a.jpg", [("many", [0] * 9, [0.0] * 9)], pictures, columns=4)
    with Image.open(tmp_path / "a.jpg") as sheet:
        assert sheet.width == 4 * 120 + 8
        grey = sheet.getpixel((60, 90))
    assert isinstance(grey, tuple)
    assert max(grey) - min(grey) < 8
    assert 215 < grey[0] < 235
