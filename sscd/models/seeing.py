"""How a trained network sees pictures, where that is asked for otherwise than it was trained."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import NetworkConfig
from sscd.models.pooling import GeM


@dataclass(frozen=True)
class Seeing:
    """Settings of a network that can change without training it again.

    Attributes:
        scales: As in `NetworkConfig`; None for the network's own.
        mirror: As in `NetworkConfig`; None for the network's own.
        gem_p: Exponent of the pooling when pictures are described; None for the network's own.
    """

    scales: Sequence[float] | None = None
    mirror: bool | None = None
    gem_p: float | None = None

    def of(self, trained: TrainedNetwork) -> TrainedNetwork:
        """A network that sees so, and describes otherwise than before.

        Figures and thresholds of the network that it was hold no more, and are left out.

        Args:
            trained: The network, changed in place.

        Raises:
            UserError: A value is out of range, or is not of this network's pooling.
        """
        network = trained.network
        asked = self._config(network.config)
        if asked == network.config:
            return trained
        network.config = asked
        if isinstance(network.pool, GeM):
            network.pool.p_inference = asked.gem_p_inference
        return dataclasses.replace(
            trained, figures={}, threshold=None, stricter=None, calibration=None
        )

    def _config(self, config: NetworkConfig) -> NetworkConfig:
        options = {"scales": self.scales, "mirror": self.mirror, "gem_p_inference": self.gem_p}
        learnt = config.gem_p_learnt
        given = {key: value for key, value in options.items() if value is not None}
        if config.gem_p_inference is None and self.gem_p == config.gem_p and not learnt:
            del given["gem_p_inference"]  # what the network does already
        try:
            return dataclasses.replace(config, **given)  # type: ignore[arg-type]
        except ValueError as error:
            raise UserError(f"--{str(error).replace('gem_p_inference', 'gem_p')}") from error


def seeing_note(config: NetworkConfig) -> str:
    """How a network sees a picture, for people; empty where it does so once and as it is.

    >>> seeing_note(NetworkConfig(scales=(1.0, 1.4), mirror=True, gem_p_inference=4.0))
    'scales 1 and 1.4, mirrored too, GeM p 4'
    >>> seeing_note(NetworkConfig(gem_p=3.7, gem_p_learnt=True))
    'GeM p 3.7 as learnt'
    """
    said = []
    if config.scales != (1.0,):
        said.append(f"scales {' and '.join(f'{scale:g}' for scale in config.scales)}")
    if config.mirror:
        said.append("mirrored too")
    if config.gem_p_inference is not None:
        said.append(f"GeM p {config.gem_p_inference:g}")
    elif config.gem_p_learnt:
        said.append(f"GeM p {config.gem_p:.4g} as learnt")
    return ", ".join(said)
