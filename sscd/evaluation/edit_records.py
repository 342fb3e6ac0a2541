"""`edits.jsonl`: which operations made each query, read."""

import json
from pathlib import Path

from sscd.errors import UserError
from sscd.evaluation.json_fields import Fields

Operations = tuple[str, ...]


def read_edits(path: Path) -> dict[str, Operations]:
    """Return the names of the operations of every query, in order, by the query's id.

    Each line is an object with `query_id` and `edits`, a list of objects with a `name`; other keys
    are left alone. Blank lines are accepted.

    Raises:
        UserError: The file cannot be read or holds no record, or a line is malformed or repeats a
            query; the message gives the line number.
    """
    records: dict[str, Operations] = {}
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    query, operations = _record(line, f"{path}, line {number}")
                    if query in records:
                        raise UserError(
                            f"{path}, line {number}: query {query} is there twice; delete one line"
                        )
                    records[query] = operations
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot read edits {path}: {reason}; give an edits.jsonl") from error
    if not records:
        raise UserError(f"{path}: names no query; expected lines of JSON with query_id and edits")
    return records


def _record(line: bytes, where: str) -> tuple[str, Operations]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON; expected an object a line") from error
    fields = Fields(value, where)
    edits = [Fields(edit, f"{where}: key 'edits'") for edit in fields.items("edits")]
    return fields.text("query_id"), tuple(edit.text("name") for edit in edits)
