"""The rows of a table, one after the other, from an earlier call or made now."""

from collections.abc import Sequence
from pathlib import Path

from sscd.commands.systems.attacked import Attacks
from sscd.commands.systems.data import TableData
from sscd.commands.systems.measuring import measure, measure_attacks
from sscd.commands.systems.plan import SystemPlan
from sscd.commands.systems.row_file import KeptRow, RowFile
from sscd.data.skipped import SkipLog
from sscd.errors import NotEnoughError, UserError
from sscd.terminal import remark, working


def make_rows(
    files: Sequence[RowFile],
    data: TableData,
    attacks: Attacks | None,
    *,
    begun: str,
    left_out: list[str],
) -> list[tuple[RowFile, KeptRow]]:
    """Measure the rows, or take them from an earlier call.

    Args:
        files: Where each row is kept.
        data: What is measured on.
        attacks: Queries that were attacked; None for none.
        begun: When this call began, by which rows of earlier ones are told.
        left_out: Takes one line for each row that the data set is too small for.

    Raises:
        UserError: No row is left, or one cannot be measured or written.
    """
    done = []
    for number, file in enumerate(files, start=1):
        place = f"{number} of {len(files)}"
        try:
            done.append((file, _row(file, data, attacks, place=place, begun=begun)))
        except NotEnoughError as error:
            left_out.append(f"{file.plan.name}: {error}")
    if not done:
        raise UserError(f"the table has no row: {left_out[-1]}")
    return done


def _row(
    file: RowFile, data: TableData, attacks: Attacks | None, *, place: str, begun: str
) -> KeptRow:
    """A row, from an earlier call or made now."""
    kept = file.read()
    wanted = {key for key, _ in attacks.sets()} if attacks is not None else set()
    if kept is not None and wanted <= kept.attacked.keys():
        remark(f"row {place}, {file.plan.name}: taken from {file.root}")
        return kept
    with working(f"row {place}, {file.plan.name}"):
        if kept is not None and attacks is not None:
            log = SkipLog()
            under = measure_attacks(file.plan, data, attacks, skipped=log)
            more = KeptRow(kept.row, {**kept.attacked, **under}, {**kept.unreadable, **log.reasons})
            file.write_figures(more)
            return more
        measured = measure(
            file.plan, data, attacks, samples=int(file.identity["samples"]), begun=begun
        )
        file.write(measured, data)
    return KeptRow(measured.row, measured.attacked, measured.unreadable)


def row_files(
    output: Path, plans: Sequence[SystemPlan], data: TableData, *, samples: int
) -> list[RowFile]:
    """The rows' files, no two of one name.

    Args:
        output: The table's directory.
        plans: The rows.
        data: What is measured on.
        samples: Resamples of the intervals.
    """
    files: list[RowFile] = []
    taken: set[str] = set()
    for plan in plans:
        name = plan.file_name
        while name in taken:
            name += "-"
        taken.add(name)
        files.append(RowFile.of(output, plan, data, samples=samples, name=name))
    return files
