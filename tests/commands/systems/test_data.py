from pathlib import Path

from sscd.commands.systems.data import content_digest, data_digest
from sscd.data.ground_truth import GroundTruth
from sscd.data.records import ImageSet


def test_digests_follow_names_sizes_and_truth(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"12")
    (tmp_path / "b.jpg").write_bytes(b"345")
    one = ImageSet.from_names("one", root=tmp_path, names=["a.jpg", "b.jpg"])
    before = content_digest(one)
    (tmp_path / "a.jpg").write_bytes(b"67")
    assert content_digest(one) == before  # of the same size
    (tmp_path / "a.jpg").write_bytes(b"6789")
    assert content_digest(one) != before
    (tmp_path / "a.jpg").unlink()
    assert content_digest(one) not in (before, content_digest(one.subset([0])))
    truths = [
        GroundTruth(frozenset({("q", "a")})),
        GroundTruth(frozenset({("q", "a")}), frozenset({"q"})),
        GroundTruth(frozenset({("q", "b")})),
    ]
    assert len({data_digest((one,), truth) for truth in truths}) == 3
