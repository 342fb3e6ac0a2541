"""Attacked queries as rows of the table, and what a system finds for them."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sscd.attacks.directory import Attack, read_attack
from sscd.baselines.system import System
from sscd.commands.systems.data import TableData, content_digest
from sscd.data.records import ImageSet
from sscd.errors import UserError
from sscd.evaluation.protocol import evaluate_found
from sscd.report.systems.rows import AttackRow, AttackTable
from sscd.search.pairs import CHALLENGE_LIMIT

UNTOUCHED = "none"


@dataclass(frozen=True)
class AttackedSet:
    """Queries that were perturbed against one network.

    Attributes:
        pictures: With the ids of the queries.
        model: What the network is called.
        directory: What tells it from another attack on that network at that PSNR; empty where
            there is none.
        fingerprint: Of the network.
        psnr: What was aimed at, in dB.
        measured_psnr: Mean over the files, in dB.
    """

    pictures: ImageSet
    model: str
    directory: str
    fingerprint: str
    psnr: float
    measured_psnr: float

    @classmethod
    def of(cls, attack: Attack, ids: Sequence[str], *, told_by: str) -> "AttackedSet":
        """Some pictures of an attack.

        Args:
            attack: As it lies on disk.
            ids: Which pictures, in their order.
            told_by: What tells it from other attacks; empty where its network and PSNR do.
        """
        wanted = set(ids)
        measured = [one.psnr for one in attack.records if one.id in wanted and one.psnr is not None]
        return cls(
            pictures=attack.pictures.take(ids),
            model=attack.name,
            directory=told_by,
            fingerprint=attack.model,
            psnr=attack.target_psnr,
            # Where no picture was changed, nothing can be told from its source.
            measured_psnr=float(np.mean(measured)) if measured else math.inf,
        )


@dataclass(frozen=True)
class Attacks:
    """All attacks of a table, cut to the queries that every one of them holds.

    Attributes:
        untouched: These queries as they are.
        attacked: The same under each attack.
        matched: Queries of the data set that have a match.
    """

    untouched: ImageSet
    attacked: tuple[AttackedSet, ...]
    matched: int

    @classmethod
    def open(cls, directories: Sequence[Path], data: TableData) -> "Attacks":
        """Open what `sscd attack` made, and take the queries that have a match.

        Raises:
            UserError: A directory is none, or is given twice, or they share no such query.
        """
        places = [directory.resolve() for directory in directories]
        for number, place in enumerate(places):
            if place in places[:number]:
                raise UserError(f"--attack {directories[number]} is given twice")
        attacks = [read_attack(directory) for directory in directories]
        copies = data.copies
        held = [set(one.pictures.ids) for one in attacks]
        common = [name for name in copies.ids if all(name in ids for ids in held)]
        if not common:
            raise UserError(
                f"the attacks share no query of {data.name} that has a match; attack its dev "
                "queries, each time the same ones"
            )
        told = Counter((one.name, one.target_psnr) for one in attacks)
        sets = (
            AttackedSet.of(
                one,
                common,
                told_by=one.directory.name if told[one.name, one.target_psnr] > 1 else "",
            )
            for one in attacks
        )
        return cls(copies.take(common), tuple(sets), len(copies))

    def sets(self) -> Iterator[tuple[str, ImageSet]]:
        """(What tells the set from others, its pictures), the untouched queries first."""
        yield f"{UNTOUCHED} {content_digest(self.untouched)}", _named(self.untouched, "copies")
        for number, one in enumerate(self.attacked, start=1):
            yield (
                f"{one.fingerprint} {one.psnr!r} {content_digest(one.pictures)}",
                _named(one.pictures, f"attack {number}"),
            )


def micro_aps_under(attacks: Attacks, system: System, data: TableData) -> dict[str, float]:
    """What a system that has learnt and indexed finds in each of the sets; key → micro-AP.

    Raises:
        UserError: No picture of a set can be read.
    """
    names = set(attacks.untouched.ids)
    truth = data.collection.truth
    pairs = frozenset(pair for pair in truth.pairs if pair[0] in names)
    cut = type(truth)(pairs, frozenset(names))
    result = {}
    for key, pictures in attacks.sets():
        found = system.search(pictures, limit=CHALLENGE_LIMIT)
        evaluation = evaluate_found(found.query_ids, system.reference_ids, found.plain, cut)
        result[key] = evaluation.figures.micro_ap
    return result


def attack_table(
    attacks: Attacks, found: Mapping[str, Mapping[str, float]], fingerprints: Mapping[str, str]
) -> AttackTable:
    """The table of the paper.

    Args:
        attacks: The rows.
        found: System → what `micro_aps_under` found with it.
        fingerprints: System → that of its network; empty where it has none.
    """
    keys = [key for key, _ in attacks.sets()]
    rows = [AttackRow(UNTOUCHED, None, None, {name: of[keys[0]] for name, of in found.items()})]
    for key, one in zip(keys[1:], attacks.attacked, strict=True):
        own = [name for name, mark in fingerprints.items() if mark and mark == one.fingerprint]
        figures = {name: of[key] for name, of in found.items()}
        called = own[0] if own else one.model  # as in this table, where it has a column
        called += f" ({one.directory})" if one.directory else ""
        rows.append(AttackRow(called, one.psnr, one.measured_psnr, figures, tuple(own)))
    return AttackTable(tuple(rows), len(attacks.untouched), attacks.matched)


def _named(pictures: ImageSet, name: str) -> ImageSet:
    return pictures.subset(range(len(pictures)), name=name)
