"""Attacks of sets: what is written, what is made again, and what is refused."""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from sscd.attacks import running
from sscd.attacks.directory import ATTACK_FILE, MANIFEST_FILE, read_attack
from sscd.attacks.optimisation import AttackConfig
from sscd.attacks.psnr import psnr
from sscd.augment.tensors import to_uint8_tensor
from sscd.data.decode import load_image
from sscd.data.listing import scan_images
from sscd.errors import UserError
from tests.attacks.attacks import draw_pictures, journal_of, run, small_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_pictures(tmp_path / "pictures")


def contents(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_each_picture_keeps_its_id_and_is_measured_as_saved(folder: Path, tmp_path: Path) -> None:
    made = run(folder, tmp_path / "out")
    attack = read_attack(tmp_path / "out")
    sources = scan_images(folder, name="x").images
    assert made.made == len(attack.records) == 4
    assert sorted(attack.pictures.ids) == sorted(sources.ids)
    places = {sources.id(index): sources.path(index) for index in range(4)}
    for record in attack.records:
        saved, source = (load_image(p) for p in (tmp_path / "out" / record.file, places[record.id]))
        tensors = [to_uint8_tensor(image)[None] for image in (saved, source)]
        assert record.psnr == pytest.approx(float(psnr(*tensors)), abs=1e-4)
        assert record.psnr == pytest.approx(30, abs=0.02)
        assert 0 < record.ssim < 1
        assert record.cosine < 1
    assert attack.mean_psnr == pytest.approx(30, abs=0.02)
    assert not list((tmp_path / "out").rglob("*.part"))


def test_jpeg_loses_more_and_says_so(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out", format="jpeg", quality=50, config=AttackConfig(40, steps=1))
    attack = read_attack(tmp_path / "out")
    assert {Path(record.file).suffix for record in attack.records} == {".jpg"}
    assert max(record.psnr or 0 for record in attack.records) < 39
    assert attack.target_psnr == 40


def test_a_second_run_makes_what_is_missing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    whole = contents(out)
    assert run(folder, out).made == 0
    assert contents(out) == whole
    (out / "a.png").unlink()
    assert run(folder, out).made == 1
    assert contents(out).keys() == whole.keys()
    # A source that is another now is attacked anew; one that was added, too.
    (folder / "a.png").write_bytes((folder / "sub dir" / "d.png").read_bytes())
    (folder / "new.png").write_bytes((folder / "sub dir" / "d.png").read_bytes())
    assert run(folder, out).made == 2
    assert len(read_attack(out).records) == 5


def test_an_interrupted_run_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, attack = tmp_path / "out", running._attack
    calls = iter([True, False])

    def once(*arguments: object) -> object:
        if not next(calls):
            raise KeyboardInterrupt
        return attack(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(running, "_attack", once)
        with pytest.raises(KeyboardInterrupt):
            run(folder, out)
    with pytest.raises(UserError, match="not finished"):
        read_attack(out)
    manifest = out / MANIFEST_FILE
    assert len(manifest.read_text().splitlines()) == 3
    manifest.write_text(manifest.read_text() + '{"id": "torn')  # as by a loss of power
    (out / ".a.png.xyz.part").write_bytes(b"half")
    assert run(folder, out).made == 1
    assert len(read_attack(out).records) == 4
    assert not (out / ".a.png.xyz.part").exists()


def test_other_settings_are_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    before = contents(out)
    with pytest.raises(UserError, match=r"out was made otherwise: --psnr was 30, is now 31; give"):
        run(folder, out, config=AttackConfig(psnr=31, steps=1))
    other = small_task()
    journal = journal_of(out, other)
    changed = type(journal)(out, {**journal.request, "model": "4567"}, journal.about)
    with pytest.raises(UserError, match="the network was 0123, is now 4567"):
        changed.check()
    assert contents(out) == before


def test_unreadable_pictures_are_counted(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"x")
    (folder / "empty.png").write_bytes(b"")
    made = run(folder, tmp_path / "out")
    assert (made.made, len(made.skipped)) == (4, 2)
    said = json.loads((tmp_path / "out" / ATTACK_FILE).read_text())["summary"]
    assert (said["pictures"], said["unreadable"]) == (4, 2)
    only = tmp_path / "only"
    only.mkdir()
    (only / "broken.jpg").write_bytes(b"x")
    with pytest.raises(UserError, match=r"no picture can be attacked: 1 picture .*broken.jpg"):
        run(only, tmp_path / "none")


def test_a_directory_of_something_else_stays(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match=r"holds letter.txt \(1 entries\) and no attack"):
        run(folder, out)
    with pytest.raises(UserError, match="is a file"):
        run(folder, out / "letter.txt")
    assert (out / "letter.txt").read_text() == "dear"


def test_one_process_at_a_time_writes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(UserError, match="another attack is writing"):
        run(folder, out)
    assert run(folder, out).made == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    journal = journal_of(out, small_task())
    with journal.locked():
        journal.begin()
        (out / MANIFEST_FILE).unlink()
        (out / MANIFEST_FILE).symlink_to("/dev/full")
        made = run(folder, tmp_path / "other").records[0]
        with journal.recording() as record, pytest.raises(UserError, match="No space left") as full:
            record(made)
    assert "\n" not in str(full.value)


def test_large_pictures_are_fewer_at_once(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    images = scan_images(folder, name="x").images
    read = [
        running._Read(images.id(i), "", "", load_image(images.path(i))) for i in range(len(images))
    ]
    monkeypatch.setattr(running, "_PIXELS", 3000)
    batches = [[len(batch) for batch in running._batches(iter(read), size=3)]]
    monkeypatch.setattr(running, "_PIXELS", 10)
    batches.append([len(batch) for batch in running._batches(iter(read), size=3)])
    assert batches == [[2, 2], [1, 1, 1, 1]]
