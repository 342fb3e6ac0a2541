from pathlib import Path

from benchmarks.recipes.metrics import validations, views_per_second

TEXT = """epoch,step,train/views_per_s,val/micro_ap
0,9,100.0,
0,9,,0.1
1,19,300.0,
1,19,,0.2
,20,200.0,
1,19,,0.25
"""


def test_validations_and_speed(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(TEXT, encoding="utf-8")
    assert validations(tmp_path) == [(1, 0.1), (2, 0.25)]  # epoch 1 was repeated after a stop
    assert views_per_second(tmp_path) == 200.0


def test_nothing_is_known_without_the_file(tmp_path: Path) -> None:
    assert validations(tmp_path) == []
    assert views_per_second(tmp_path) is None
