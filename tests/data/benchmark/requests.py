"""A small request, to be changed by `dataclasses.replace`."""

from sscd.data.benchmark.request import BenchmarkRequest

SMALL = BenchmarkRequest(
    references=8,
    queries=3,
    distractors=2,
    training=5,
    extras=2,
    seed=0,
    dev_edits="phase1",
    test_edits="phase2",
    by_hand=0.2,
    air_gap=0.2,
    leave_out=(),
    max_side=1024,
    near_duplicate_distance=2,
)
