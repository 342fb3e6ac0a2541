"""Load what `sscd describe` wrote into LanceDB, in this process, and search there.

    pip install lancedb
    python docs/vector_database.py load references.parts database
    python docs/vector_database.py search queries.parts database --floor -0.7 > matches.csv

See docs/vector_database.md.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import lancedb
import pyarrow.dataset

from sscd.data.descriptors import Descriptors
from sscd.formats.parquet.files import open_parquet
from sscd.vectors import blocks

TABLE = "references"
METRICS = ("l2", "dot")


def load(parts: str, database: str) -> Any:
    """Copy Parquet to a table, batch by batch; a table that is there is replaced.

    Args:
        parts: A directory that `sscd describe` finished, or a file.
        database: LanceDB's directory.

    Returns:
        The table.
    """
    open_parquet(parts)  # all parts are there, of one model, no id twice
    folder = Path(parts)
    files = sorted(map(str, folder.glob("*.parquet"))) if folder.is_dir() else [str(folder)]
    rows = pyarrow.dataset.dataset(files, format="parquet")
    batches = (batch for batch in rows.to_batches(batch_size=16_384) if len(batch))
    return lancedb.connect(database).create_table(
        TABLE, data=batches, schema=rows.schema, mode="overwrite"
    )


def search(
    queries: Descriptors, table: Any, *, k: int = 10, metric: str = "l2"
) -> Iterator[tuple[str, str, float]]:
    """Yield (query id, reference id, score) of each query's neighbours, the best first.

    Scores are those of sscd: minus the squared distance, or the inner product (`dot`). Without an
    index the search is exact.

    Args:
        queries: What is looked for.
        table: Of `load`.
        k: Neighbours a query.
        metric: How they are ranked.
    """
    [model] = table.search().select(["model_fingerprint"]).limit(1).to_list()
    if model["model_fingerprint"] != queries.origin.model:
        sys.exit(f"the table is of model {model['model_fingerprint']}, not {queries.origin.model}")
    for start, vectors in blocks(queries.vectors):
        for row, vector in enumerate(vectors):
            found = table.search(vector, vector_column_name="descriptor").distance_type(metric)
            for match in found.select(["id", "_distance"]).limit(k).to_list():
                distance = match["_distance"]  # the squared one of l2; 1 - inner product of dot
                score = -distance if metric == "l2" else 1 - distance
                yield queries.ids[start + row], match["id"], score


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("load", "search"))
    parser.add_argument("parts", help="what `sscd describe` wrote")
    parser.add_argument("database", help="LanceDB's directory")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--metric", choices=METRICS, default="l2")
    parser.add_argument("--floor", type=float, default=float("-inf"), help="the lowest score")
    given = parser.parse_args(arguments)
    if given.command == "load":
        table = load(given.parts, given.database)
        print(f"{given.database}: {table.count_rows():,} descriptors")  # noqa: T201
        return
    table = lancedb.connect(given.database).open_table(TABLE)
    lines = csv.writer(sys.stdout)
    lines.writerow(("query_id", "reference_id", "score"))
    for match in search(open_parquet(given.parts), table, k=given.k, metric=given.metric):
        if match[2] >= given.floor:
            lines.writerow(match)


if __name__ == "__main__":
    main()
