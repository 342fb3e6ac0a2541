"""The tables that edit a benchmark's queries."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from sscd.augment.edits.chain import EditTable
from sscd.augment.edits.table import load_table, without
from sscd.data.benchmark.request import BenchmarkRequest
from sscd.errors import UserError

BY_HAND = "by_hand"
AIR_GAP = "air_gap"

Tables = Mapping[str, EditTable]
"""Tables by the key that plans name them with: the two phases', `by_hand` and `air_gap`."""


def load_tables(request: BenchmarkRequest) -> dict[str, EditTable]:
    """Load the tables that a request needs, less the operations it leaves out.

    `by_hand` and `air_gap` are left out where nothing of them is left.

    Raises:
        UserError: A table cannot be used, an operation to leave out is in none of them, a phase's
            table has no operation left, or a table lays other pictures under or beside the source
            and there are none.
    """
    names = {"dev": request.dev_edits, "test": request.test_edits}
    if request.by_hand > 0:
        names[BY_HAND] = BY_HAND
    if request.air_gap > 0:
        names[AIR_GAP] = AIR_GAP
    tables = {key: load_table(name) for key, name in names.items()}
    known = {name for table in tables.values() for name in table.operations}
    if unknown := sorted(set(request.leave_out) - known):
        raise UserError(
            f"--leave_out {unknown[0]}: no table has that operation; they have "
            f"{', '.join(sorted(known))}"
        )
    for key, table in list(tables.items()):
        left_out = [name for name in request.leave_out if name in table.operations]
        if key in (BY_HAND, AIR_GAP) and len(left_out) == len(table.operations):
            del tables[key]
        elif left_out:
            tables[key] = without(table, left_out)
    if request.extras == 0:
        _check_no_secondary(tables)
    return tables


def settle_shares(request: BenchmarkRequest, tables: Tables) -> BenchmarkRequest:
    """The request with a share of 0 for `by_hand` and `air_gap` where they are not loaded."""
    return replace(
        request,
        by_hand=request.by_hand if BY_HAND in tables else 0.0,
        air_gap=request.air_gap if AIR_GAP in tables else 0.0,
    )


def table_digest(table: EditTable) -> str:
    """Sixteen hexadecimal digits that change with anything in a table."""
    return hashlib.blake2b(repr(table).encode(), digest_size=8).hexdigest()


def _check_no_secondary(tables: Tables) -> None:
    for table in tables.values():
        if asking := [name for name, op in table.operations.items() if op.needs_secondary]:
            raise UserError(
                f"--extras 0: table {table.name} lays other pictures under or beside the source; "
                f"give some, or --leave_out {','.join(asking)}"
            )
