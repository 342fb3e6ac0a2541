"""`python -m benchmarks`: run every benchmark, one after the other."""

from benchmarks import augment, lars, micro_ap

if __name__ == "__main__":
    for benchmark in (augment, lars, micro_ap):
        print(benchmark.run())  # noqa: T201
