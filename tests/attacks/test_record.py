import json

import pytest

from sscd.attacks.record import AttackedPicture

RECORD = AttackedPicture(
    id="a", source="x/a.jpg", file="a.png", digest="00", target_psnr=40.0, psnr=39.99, ssim=0.9,
    cosine=0.5,
)  # fmt: skip


@pytest.mark.parametrize("decibels", [39.99, None])
def test_a_line_reads_back_equal(decibels: float | None) -> None:
    record = AttackedPicture(**{**vars(RECORD), "psnr": decibels})
    assert "\n" not in record.line()
    assert AttackedPicture.parse(record.line()) == record


@pytest.mark.parametrize(
    "line",
    [
        "",
        RECORD.line()[:-9],
        "[]",
        "null",
        json.dumps({"id": "a"}),
        RECORD.line().replace('"a.png"', "3"),
        RECORD.line().replace("0.9", "NaN"),
        RECORD.line().replace("0.9", '"high"'),
        RECORD.line().replace('"id"', '"name"'),
    ],
)
def test_torn_lines_and_others_are_nothing(line: str) -> None:
    assert AttackedPicture.parse(line) is None
