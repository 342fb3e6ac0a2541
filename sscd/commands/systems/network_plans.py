"""Rows of networks: Multigrain, HOW, and trained checkpoints as they are and whitened."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sscd.baselines.multigrain import multigrain_dims, multigrain_system
from sscd.baselines.system import System
from sscd.baselines.vector_system import VectorSystem
from sscd.commands.describing import DescribeOptions
from sscd.commands.systems.network_facts import NetworkFacts
from sscd.commands.systems.options import SystemOptions
from sscd.commands.systems.plan import SystemPlan
from sscd.commands.systems.stored_descriptors import StoredDescriptors
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.extras import require
from sscd.models.loading import load_network
from sscd.models.seeing import Seeing
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.projection import ProjectionKind

SSCD_NORM = Neighbourhood(1.0, 0, 2)
"""SSCD, Pizzi et al. 2022, section 5: β = 1, the mean of ranks 0 to 2."""


@dataclass
class NetworkPlans:
    """Makes the plans of networks.

    Attributes:
        options: What was asked for.
        work: Where descriptors are kept.
        training: Training pictures.
        left_out: Takes one line a row that is not there.
    """

    options: SystemOptions
    work: Path
    training: int
    left_out: list[str]
    _seen: dict[str, str] = field(default_factory=dict)

    def multigrain(self) -> Iterator[SystemPlan]:
        """The row of Multigrain.

        Raises:
            UserError: The network is no such one.
        """
        if not self.options.wants("multigrain"):
            return
        if self.options.multigrain is None:
            self.left_out.append("Multigrain: no network of it was given with --multigrain")
            return
        facts = self._facts(self.options.multigrain)
        check_multigrain(facts, option="--multigrain")
        dims = multigrain_dims(facts.dims, training=self.training)

        def build(skipped: SkipLog) -> System:
            stored = self._stored(facts, skipped)
            return multigrain_system(
                stored,
                dims=dims,
                hardware=stored.hardware,
                fewer=True,
                device=self.options.device,
                watch=stored.watch,
            )

        settings = {"row": "multigrain", "dims": dims, **facts.settings}
        note = f"{facts.note}; whitened from {facts.dims:,} channels"
        yield SystemPlan("Multigrain", settings, build, note, facts.fingerprint)

    def how(self) -> Iterator[SystemPlan]:
        """The row of HOW with ASMK.

        Raises:
            UserError: The network is no such one, or FAISS is missing.
        """
        options = self.options
        if not options.wants("how"):
            return
        if options.how is None:
            self.left_out.append("HOW + ASMK: no network of it was given with --how")
            return
        require("faiss")
        facts = self._facts(options.how)
        check_how(facts, option="--how")

        def build(skipped: SkipLog) -> System:
            from sscd.baselines.how.system import HowSystem

            return HowSystem(
                load_network(facts.checkpoint).network,
                inference=facts.inference,
                words=options.words,
                features=options.features,
                workers=options.processes,
                device=options.device,
                skipped=skipped,
            )

        settings = {"row": "how", "words": options.words, "features": options.features}
        note = f"{facts.note}, several scales; {options.words:,} words"
        yield SystemPlan(
            "HOW + ASMK", {**settings, **facts.settings}, build, note, facts.fingerprint
        )

    def checkpoints(self) -> Iterator[SystemPlan]:
        """Every checkpoint as it is, and whitened where there are training pictures enough.

        Raises:
            UserError: A network cannot be used, or two are the same.
        """
        if not self.options.wants("checkpoints"):
            return
        if not self.options.checkpoints:
            self.left_out.append("trained networks: none was given with --checkpoint")
        for name, path in zip(self.options.called, self.options.checkpoints, strict=True):
            facts = self._facts(path)
            if facts.fingerprint in self._seen:
                raise UserError(
                    f"--checkpoint {path} is the same network as {self._seen[facts.fingerprint]}; "
                    "give each once"
                )
            self._seen[facts.fingerprint] = str(path)
            yield self._vectors(name, facts, None)
            if self.training <= facts.dims:
                self.left_out.append(
                    f"{name}, whitened: whitening {facts.dims} dimensions needs more "
                    f"training pictures than that, got {self.training}"
                )
            else:
                yield self._vectors(f"{name}, whitened", facts, "whiten")

    def _vectors(self, name: str, facts: NetworkFacts, kind: ProjectionKind | None) -> SystemPlan:
        def build(skipped: SkipLog) -> System:
            stored = self._stored(facts, skipped)
            return VectorSystem(
                name,
                stored,
                dims=facts.dims,
                norm=SSCD_NORM,
                hardware=stored.hardware,
                projection=kind,
                device=self.options.device,
                watch=stored.watch,
            )

        settings = {"row": "checkpoint", "projection": kind, **facts.settings}
        return SystemPlan(name, settings, build, facts.note, facts.fingerprint)

    def _facts(self, checkpoint: Path) -> NetworkFacts:
        return NetworkFacts.read(self._describing(checkpoint))

    def _describing(self, checkpoint: Path) -> DescribeOptions:
        options = self.options
        return DescribeOptions(
            checkpoint,
            batch_size=options.batch_size,
            workers=options.processes,
            device=options.device,
            seeing=options.seeing if checkpoint in options.checkpoints else Seeing(),
        )

    def _stored(self, facts: NetworkFacts, skipped: SkipLog) -> StoredDescriptors:
        place = f"{facts.fingerprint}-{facts.inference.size}-{facts.inference.mode}"
        return StoredDescriptors(
            self._describing(facts.checkpoint), self.work / place, skipped=skipped
        )


def check_multigrain(facts: NetworkFacts, *, option: str) -> None:
    """Check that a network describes by its pooled channels.

    Raises:
        UserError: It does not.
    """
    if facts.config.head != "none":
        raise UserError(
            f"{option} {facts.checkpoint}: this network has a linear head, and Multigrain "
            "describes by pooled channels; train one with `sscd train --config multigrain`"
        )


def check_how(facts: NetworkFacts, *, option: str) -> None:
    """Check that a network has local descriptors.

    Raises:
        UserError: It has none.
    """
    if facts.config.pooling != "attention":
        raise UserError(
            f"{option} {facts.checkpoint}: this network pools by {facts.config.pooling}, and HOW "
            "needs local descriptors; train one with `sscd train --config how`"
        )
