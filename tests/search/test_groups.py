import numpy as np
import pytest

from sscd.search.groups import connected_groups
from sscd.search.pairs import Pairs


def pairs(*rows: tuple[int, int, float]) -> Pairs:
    ordered = sorted(rows, key=lambda row: -row[2])
    return Pairs(
        query=np.array([row[0] for row in ordered], np.int64),
        reference=np.array([row[1] for row in ordered], np.int64),
        scores=np.array([row[2] for row in ordered], np.float32),
    )


def test_chains_are_joined_and_each_member_names_its_best_match() -> None:
    got = connected_groups(pairs((0, 4, -0.5), (4, 7, -0.1), (2, 3, -0.3)), count=9)
    assert [group.members.tolist() for group in got] == [[0, 4, 7], [2, 3]]
    assert got[0].nearest.tolist() == [4, 7, 4]
    np.testing.assert_allclose(got[0].scores, [-0.5, -0.1, -0.1])
    assert got[1].nearest.tolist() == [3, 2]


def test_no_pair_no_group() -> None:
    assert connected_groups(pairs(), count=5) == []


def test_rows_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 4"):
        connected_groups(pairs((0, 5, -1.0)), count=5)


def test_equals_a_search_through_the_graph() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        count = int(rng.integers(2, 30))
        every = [(i, j) for i in range(count) for j in range(i + 1, count)]
        chosen = rng.permutation(len(every))[: int(rng.integers(0, count))]
        rows = [(*every[k], -float(rng.integers(5))) for k in chosen.tolist()]
        linked: dict[int, set[int]] = {}
        for i, j, _ in rows:
            linked.setdefault(i, set()).add(j)
            linked.setdefault(j, set()).add(i)
        expected, seen = [], set[int]()
        for start in sorted(linked):
            if start in seen:
                continue
            group, waiting = {start}, [start]
            while waiting:
                new = linked[waiting.pop()] - group
                group |= new
                waiting += new
            seen |= group
            expected.append(sorted(group))
        got = connected_groups(pairs(*rows), count=count)
        assert [g.members.tolist() for g in got] == sorted(expected, key=lambda g: (-len(g), g[0]))
        for group_found in got:
            for member, other, score in zip(
                group_found.members.tolist(),
                group_found.nearest.tolist(),
                group_found.scores.tolist(),
                strict=True,
            ):
                assert score == max(s for i, j, s in rows if member in (i, j))
                assert (min(member, other), max(member, other), score) in rows
