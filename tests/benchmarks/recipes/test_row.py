from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.recipes.row import BASE, PostProcess, known_rows, merge, read_row
from sscd.errors import UserError

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, text: str) -> str:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


def test_rows_are_laid_over_what_they_are_based_on(write: Write) -> None:
    write("base", "about: base\nseeds: [0, 1]\ntrain: {a: {b: 1, c: [1, 2]}, d: 3}\n")
    write("middle", "about: middle\nbased_on: base\ntrain: {a: {c: [5]}}\ndescribe: {size: 96}\n")
    leaf = read_row(
        write("leaf", "about: leaf\nbased_on: middle\npostprocess: {stretch: '0.5[0,9]'}\n")
    )
    assert leaf.train == {"a": {"b": 1, "c": [5]}, "d": 3}
    assert leaf.describe == {"size": 96}
    assert leaf.postprocess == PostProcess(stretch="0.5[0,9]")
    assert (leaf.about, leaf.seeds) == ("leaf", (0,))  # neither is inherited


def test_rows_that_train_alike_share_a_training(write: Write) -> None:
    write("base", "about: base\ntrain: {a: 1}\n")
    write("other", "about: other\nbased_on: base\ntrain: {a: 2}\n")
    same = "about: x\nbased_on: other\ndescribe: {mirror: true}\n"
    assert read_row(write("described", same)).training == "other"
    assert read_row(write("back", "about: x\nbased_on: other\ntrain: {a: 1}\n")).training == "back"


def test_merging_leaves_both_alone() -> None:
    below, above = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merge(below, above) == {"a": {"b": 1, "c": 2}}
    assert (below, above) == ({"a": {"b": 1}}, {"a": {"c": 2}})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("about: x\ntrian: {}\n", "unknown key 'trian'.*did you mean train"),
        ("about: x\npostprocess: {dim: 3}\n", "unknown key 'postprocess.dim'"),
        ("about: x\npostprocess: {projections: [pca]}\n", "some of none, whiten"),
        ("about: x\npostprocess: {dims: 1}\n", "dims got 1"),
        ("train: {}\n", "give `about`"),
        ('about: "x\\ny"\n', "give `about`"),
        ("about: x\ntrain: [1]\n", "'train' got"),
        ("about: x\nseeds: [a]\n", "whole numbers"),
        ("about: x\nseeds: [true]\n", "whole numbers"),
        ("about: x\ntrain: {data: {root: /tmp}}\n", "train.data.root is set by the laboratory"),
        ("about: x\nbased_on: nothing_such\n", "is no row"),
        ("about: x\nbased_on: 3\n", "'based_on' got 3"),
        ("- 1\n", "holds no settings"),
        ("a: [", "not readable YAML"),
    ],
)
def test_a_wrong_row_is_refused_in_one_line(write: Write, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        read_row(write("wrong", text))
    assert "\n" not in str(refused.value)


def test_a_circle_is_refused(write: Write) -> None:
    write("a", "about: a\nbased_on: b\n")
    with pytest.raises(UserError, match="circle: b → a → b"):
        read_row(write("b", "about: b\nbased_on: a\n"))


def test_every_row_that_comes_along_can_be_read() -> None:
    rows = [read_row(name) for name in known_rows()]
    assert BASE in [row.name for row in rows]
    assert all(row.name == BASE or row.train["data"]["batch_size"] for row in rows)
    assert len({row.about for row in rows}) == len(rows)
