"""`python -m benchmarks`: run every benchmark, one after the other."""

from benchmarks import asmk, augment, box, gist, lars, metrics, search, shards

if __name__ == "__main__":
    for benchmark in (asmk, augment, box, gist, lars, metrics, search, shards):
        print(benchmark.run())  # noqa: T201
