"""The actor by itself, with what Ray would do for it done here."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sscd.describing.output import Output
from sscd.describing.ray_actor import PARTITION_COLUMN, Attempts, PartitionActor
from sscd.formats.parquet.files import open_parquet
from tests.describing.sets import check_same, files, output_of, photos
from tests.models.networks import small_spec

pytest.importorskip("ray")


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    monkeypatch.setattr("ray.get", lambda reference: reference)
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)
    return Attempts()


def actor_of(output: Output, attempts: Attempts, photos_of: Any) -> PartitionActor:
    handle = SimpleNamespace(begin=SimpleNamespace(remote=attempts.begin))
    return PartitionActor([(small_spec(), photos_of, output)], handle, threads=1)


def ask(actor: PartitionActor, *numbers: int) -> dict[str, list[Any]]:
    return actor({PARTITION_COLUMN: np.array(numbers)})


def test_it_writes_each_partition_once(tmp_path: Path, attempts: Attempts) -> None:
    source = photos(tmp_path / "photos")
    output = output_of(source, tmp_path / "out")
    actor = actor_of(output, attempts, source.pictures)
    assert ask(actor, 2) == {"partition": [2], "pictures": [2], "error": [""]}
    before = files(tmp_path / "out")
    assert ask(actor, 2, 0) == {"partition": [2, 0], "pictures": [2, 4], "error": ["", ""]}
    assert before.items() < files(tmp_path / "out").items()
    ask(actor, 1)
    expected = small_spec().build()(source.pictures)
    check_same(open_parquet(tmp_path / "out"), expected, bits=False)
    assert attempts.begin(2) == 2


def test_a_partition_that_kills_is_given_up(tmp_path: Path, attempts: Attempts) -> None:
    source = photos(tmp_path / "photos")
    actor = actor_of(output_of(source, tmp_path / "out"), attempts, source.pictures)
    for _ in range(6):
        attempts.begin(1)
    [first, second] = ask(actor, 0, 1)["error"]
    assert first == ""
    assert re.search(r"partition 1 lost its actor 6 times.*from .*04\.png to .*07\.png", second)
    assert len(list((tmp_path / "out").iterdir())) == 1
