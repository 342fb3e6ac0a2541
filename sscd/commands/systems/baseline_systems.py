"""The system behind `sscd baseline`, from its options."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sscd.baselines.gist.system import gist_system
from sscd.baselines.multigrain import NORM, multigrain_dims, multigrain_system
from sscd.baselines.vector_system import VectorSystem
from sscd.commands.describing import DescribeOptions
from sscd.commands.systems.baseline_options import BaselineName, BaselineOptions
from sscd.commands.systems.network_facts import NetworkFacts
from sscd.commands.systems.network_plans import check_how, check_multigrain
from sscd.commands.systems.stored_descriptors import StoredDescriptors
from sscd.data.parallel import decoding_workers
from sscd.data.skipped import SkipLog
from sscd.errors import UserError
from sscd.extras import require
from sscd.models.loading import load_network

if TYPE_CHECKING:
    from sscd.baselines.how.system import HowSystem


@dataclass
class BaselineSystems:
    """Makes one of the systems.

    Attributes:
        options: Checked.
        parts: Where descriptors of a network are kept until the output is there.
        skipped: Takes note of what cannot be read.
    """

    options: BaselineOptions
    parts: Path
    skipped: SkipLog = field(default_factory=SkipLog)

    def raw(self) -> VectorSystem:
        """GIST or Multigrain before any projection.

        Raises:
            UserError: The network cannot be used.
        """
        if self.options.name == "gist":
            return gist_system(dims=960, workers=self._workers, skipped=self.skipped)
        facts, stored = self._network()
        return VectorSystem(
            "Multigrain",
            stored,
            dims=facts.dims,
            norm=NORM,
            hardware=stored.hardware,
            device=self.options.device,
            watch=stored.watch,
        )

    def compared(self, *, training: int) -> VectorSystem:
        """GIST or Multigrain as they are compared.

        Args:
            training: Training pictures.

        Raises:
            UserError: The network cannot be used, or there are too few training pictures.
        """
        options = self.options
        if options.name == "gist":
            dims = 960 if options.dims == 960 else 256
            if dims == 256:
                check_enough(dims, training=training, name=self.options.name)
            return gist_system(
                dims=960 if dims == 960 else 256, workers=self._workers, skipped=self.skipped
            )
        facts, stored = self._network()
        channels = facts.dims
        wanted = options.dims or multigrain_dims(channels, training=training)
        if wanted > channels:
            raise UserError(f"--dims {wanted} is out of range; the network gives {channels}")
        check_enough(wanted, training=training, name=self.options.name)
        return multigrain_system(
            stored,
            dims=wanted,
            hardware=stored.hardware,
            fewer=options.dims is None,
            device=options.device,
            watch=stored.watch,
        )

    def how(self) -> "HowSystem":
        """HOW, which has learnt and indexed where its index is there.

        Raises:
            UserError: The network or the index cannot be used, or FAISS is missing.
        """
        from sscd.baselines.how.codebook import WORDS
        from sscd.baselines.how.system import HowSystem
        from sscd.models.local_features import LIMIT

        options = self.options
        facts = NetworkFacts.read(self._describing())
        check_how(facts, option="--checkpoint")
        network = load_network(facts.checkpoint).network
        if options.index is not None and options.opens_index:
            return HowSystem.open(
                options.index,
                network,
                batch_size=options.batch_size or 4,
                workers=self._workers,
                device=options.device,
                skipped=self.skipped,
            )
        require("faiss")
        return HowSystem(
            network,
            inference=facts.inference,
            words=options.words or WORDS,
            features=options.features or LIMIT,
            batch_size=options.batch_size or 4,
            workers=self._workers,
            device=options.device,
            skipped=self.skipped,
        )

    @property
    def _workers(self) -> int:
        return decoding_workers(self.options.workers)

    def _describing(self) -> DescribeOptions:
        options = self.options
        return DescribeOptions(
            options.checkpoint,
            options.size,
            options.resize,
            options.batch_size or 64,
            self._workers,
            options.device,
        )

    def _network(self) -> tuple[NetworkFacts, StoredDescriptors]:
        facts = NetworkFacts.read(self._describing())
        check_multigrain(facts, option="--checkpoint")
        return facts, StoredDescriptors(self._describing(), self.parts, skipped=self.skipped)


def check_enough(dims: int, *, training: int, name: BaselineName) -> None:
    """Check that a projection can be learnt.

    Args:
        dims: Of its result.
        training: Training pictures.
        name: Of which baseline.

    Raises:
        UserError: They are too few.
    """
    if training < dims:
        advice = "give --dims 960 and a .csv" if name == "gist" else "lower --dims"
        raise UserError(
            f"--training has {training:,} pictures, and a projection to {dims} dimensions needs as "
            f"many; add pictures, or {advice}"
        )
