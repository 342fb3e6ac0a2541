"""`sscd table`: other systems and trained networks beside one another, as in the DISC21 paper."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sscd import __version__
from sscd.commands.describing import repeatable, say_skipped
from sscd.commands.systems.attacked import Attacks, attack_table
from sscd.commands.systems.catalogue import Catalogue
from sscd.commands.systems.data import TableData
from sscd.commands.systems.options import SystemOptions
from sscd.commands.systems.plan import RowName
from sscd.commands.systems.row_file import RowFile
from sscd.commands.systems.row_making import make_rows, row_files
from sscd.commands.systems.stored_descriptors import check_one_process
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.evaluation.protocol import global_name
from sscd.files import atomic_path, check_writable_directory
from sscd.formats.usage import utc_now
from sscd.models.describer import DeviceName
from sscd.models.seeing import Seeing
from sscd.report.systems.attack_picture import write_attacks_picture
from sscd.report.systems.markdown import attacks_markdown, systems_markdown
from sscd.report.systems.picture import write_systems_picture
from sscd.report.systems.rows import AttackTable, SystemRow, TableFacts
from sscd.report.systems.terminal import attacks_table, systems_table
from sscd.search.pairs import CHALLENGE_LIMIT
from sscd.terminal import Result

_FEWEST_SAMPLES = 20


def table(
    disc: Path,
    output: Path,
    checkpoint: list[Path] | None = None,
    names: list[str] | None = None,
    multigrain: Path | None = None,
    how: Path | None = None,
    rows: list[RowName] | None = None,
    attack: list[Path] | None = None,
    training: int | None = None,
    words: int = 65_536,
    features: int = 2000,
    samples: int = 1000,
    scales: list[float] | None = None,
    mirror: bool | None = None,
    gem_p: float | None = None,
    batch_size: int = 64,
    workers: int | None = None,
    device: DeviceName = "auto",
) -> Result:
    """Measure GIST, Multigrain, HOW with ASMK, hashes and trained networks on one data set.

    All by the challenge's protocol, without and with score normalisation, one after the other.
    Interrupted, the same command goes on with the rows that are there.

    Args:
        disc: A directory like DISC21, as `sscd make-disc` makes it; its dev queries are searched.
        output: The directory for table.md, table.json, table.png and an evaluation a row.
        checkpoint: Trained networks: checkpoints, exported models or published weights.
        names: What they are called, one name a checkpoint; by default as their runs.
        multigrain: A Multigrain network, trained here or as published.
        how: A HOW network, trained here or as published.
        rows: The kinds of rows: gist, hashes, multigrain, how, checkpoints; by default all.
        attack: Directories that `sscd attack` made of the dev queries, for a second table.
        training: Training pictures to use at most; by default all.
        words: Visual words of HOW; the paper has 65,536.
        features: Local descriptors of a picture of HOW, at most.
        samples: Resamples of the bootstrap intervals; 0 for none.
        scales: Sizes at which the checkpoints see pictures, times their sides, as in `1 1.4`; their
            descriptors are the normalised mean; by default as each says.
        mirror: Whether the checkpoints take the mean with mirror images; by default as each says.
        gem_p: Exponent of the checkpoints' pooling in the place of their own.
        batch_size: Pictures described at once.
        workers: Processes that decode pictures; by default 4, or one for each processor.
        device: Where networks and searches run.
    """
    if samples < 0 or 0 < samples < _FEWEST_SAMPLES:
        raise UserError(f"--samples {samples}: give 0 for none, or at least {_FEWEST_SAMPLES}")
    check_one_process("table")
    begun = utc_now(exactly=True)
    options = SystemOptions(
        checkpoints=checkpoint or (),
        names=names or (),
        multigrain=multigrain,
        how=how,
        rows=rows,
        words=words,
        features=features,
        batch_size=batch_size,
        workers=workers,
        device=device,
        seeing=Seeing(scales, mirror, gem_p),
    )
    options.check()
    _check_output(output)
    data = TableData.open(disc, training=training)
    attacks = Attacks.open(attack, data) if attack else None
    catalogue = Catalogue.of(
        options,
        work=output / "descriptors" / data.digest,
        training=len(data.collection.training),
    )
    files = row_files(output, catalogue.plans, data, samples=samples)
    left_out = list(catalogue.left_out)
    with repeatable():
        done = make_rows(files, data, attacks, begun=begun, left_out=left_out)
    kept = [row for _, row in done]
    skipped = SkipLog()
    for one in kept:
        for path, reason in one.unreadable.items():
            skipped.add(path, reason)
    say_skipped(skipped, output / "table")
    facts = TableFacts(
        data=data.name,
        training=len(data.collection.training),
        references=len(data.collection.references),
        queries=len(data.queries),
        copies=len(data.collection.truth.pairs),
        protocol=global_name(CHALLENGE_LIMIT),
        left_out=tuple(left_out),
        unreadable=len(skipped),
    )
    under = None
    if attacks is not None:
        found = {one.row.system: one.attacked for one in kept}
        under = attack_table(attacks, found, {one.row.system: one.row.fingerprint for one in kept})
    return _written(output, [one.row for one in kept], facts, under, [file for file, _ in done])


def _written(
    output: Path,
    rows: Sequence[SystemRow],
    facts: TableFacts,
    attacks: AttackTable | None,
    files: Sequence[RowFile],
) -> Result:
    values: dict[str, Any] = {
        "data": facts.data,
        "protocol": facts.protocol,
        "training": facts.training,
        "references": facts.references,
        "queries": facts.queries,
        "copies": facts.copies,
        "rows": [row.as_json() for row in rows],
        "left_out": list(facts.left_out),
        "unreadable": facts.unreadable,
        "attacks": attacks.as_json() if attacks is not None else None,
        "sscd": __version__,
    }
    markdown = systems_markdown(rows, facts)
    pictures = [output / "table.png"]
    write_systems_picture(pictures[0], rows, facts)
    shown: list[Any] = [systems_table(rows, facts)]
    (output / "attacks.png").unlink(missing_ok=True)  # of an earlier call
    if attacks is not None:
        markdown += "\n" + attacks_markdown(attacks)
        pictures.append(output / "attacks.png")
        write_attacks_picture(pictures[1], attacks)
        shown.append(attacks_table(attacks))
    for name, text in (
        ("table.md", markdown),
        ("table.json", json.dumps(values, indent=1, ensure_ascii=False) + "\n"),
    ):
        with atomic_path(output / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    evaluations = [str(file.plain) for file in files]
    shown += [f"left out: {line}" for line in facts.left_out]
    shown.append(f"{output}: table.md, table.json, {', '.join(one.name for one in pictures)}")
    remarks = [f"next: sscd report {_named(output, evaluations)} makes a page of all systems"]
    if (output / "descriptors").is_dir():
        remarks.append(
            f"{output / 'descriptors'} lets the next table of these networks go quicker, and may "
            "be deleted"
        )
    made = {
        "output": str(output),
        "markdown": str(output / "table.md"),
        "pictures": list(map(str, pictures)),
        "evaluations": evaluations,
    }
    return Result({**made, **values}, shown, remarks)


def _named(output: Path, evaluations: Sequence[str]) -> str:
    """The evaluations as they are typed, which is short where no others lie beside them."""
    lying = sorted(map(str, output.glob("*.h5")))
    if lying == sorted(evaluations):
        return f"{shlex.quote(str(output))}/*.h5"
    return shlex.join(evaluations)


def _check_output(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output} is a file; give a directory for the table")
    check_writable_directory(output)
