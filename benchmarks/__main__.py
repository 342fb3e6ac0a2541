"""`python -m benchmarks`: run every benchmark, one after the other."""

from benchmarks import augment, lars, micro_ap, shards

if __name__ == "__main__":
    for benchmark in (augment, lars, micro_ap, shards):
        print(benchmark.run())  # noqa: T201
