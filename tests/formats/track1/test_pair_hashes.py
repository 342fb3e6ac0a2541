from pathlib import Path

import numpy as np

from sscd.formats.track1.pair_hashes import pair_hashes, repeated, repeated_pairs


def test_hashes_do_not_depend_on_the_width() -> None:
    queries, references = ["Q1", "Q2", "a" * 20], ["R1", "R1", "b" * 9]
    narrow = pair_hashes(np.array(queries, "S20"), np.array(references, "S9"))
    wide = pair_hashes(np.array(queries, "S77"), np.array(references, "S64"))
    assert narrow.tolist() == wide.tolist()
    assert len(set(narrow.tolist())) == 3


def test_hashes_tell_pairs_apart() -> None:
    ids = np.array([b"%d" % i for i in range(300)])
    queries, references = np.repeat(ids, 300), np.tile(ids, 300)
    hashes = pair_hashes(queries, references)  # among them (a, b) and (b, a), (1, 11) and (11, 1)
    assert len(np.unique(hashes)) == 90_000
    assert not len(repeated(hashes))
    again = np.concatenate([hashes, hashes[[7, 9]], hashes[[7]]])
    assert repeated(again).tolist() == sorted(hashes[[7, 9]].tolist())


def test_equal_hashes_of_different_pairs_are_no_repeats(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("Q1,R1,1\nQ2,R2,1\nQ1,R1,2\n")
    every = pair_hashes(np.array([b"Q1", b"Q2"]), np.array([b"R1", b"R2"]))
    (problem,) = repeated_pairs([path], np.sort(every))
    assert (
        problem.text == f"{path}, line 3: pair Q1,R1 is there already in {path}, line 1; keep one"
    )
    assert list(repeated_pairs([path], np.empty(0, np.uint64))) == []
