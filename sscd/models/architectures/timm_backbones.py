"""Any backbone of timm (https://huggingface.co/docs/timm), which comes with `sscd[timm]`."""

from typing import Any

from torch import Tensor, nn

from sscd.errors import UserError
from sscd.models.architectures.backbone import Backbone, nearest_multiple, stretched
from sscd.models.architectures.timm_layout import FeatureLayout, create, features, probe
from sscd.terminal import warn

PREFIX = "timm/"

_INSTALL = "pip install 'sscd[timm]'"


def build_timm(name: str, *, class_token: bool) -> Backbone:
    """Build a timm network with random weights.

    Args:
        name: timm's own, without the prefix.
        class_token: Give the class token alone, as a map of one cell.

    Raises:
        UserError: timm is not installed.
        ValueError: timm has no such network, or it gives no activation map or class token.
    """
    create_model = _timm(name).create_model
    layout = probe(create_model, name)
    network = create(create_model, name, layout.settings)
    if class_token and (layout.kind != "tokens" or getattr(network, "cls_token", None) is None):
        raise ValueError(f"backbone {PREFIX}{name} has no class token; take pooling gem or avg")
    if layout.cell is None:
        warn(
            f"backbone {PREFIX}{name} takes {layout.size}×{layout.size} pixels only; pictures of "
            "other sizes are stretched to that"
        )
    return _TimmBackbone(network, layout, class_token=class_token)


def imagenet_timm(name: str) -> dict[str, Tensor]:
    """The weights that timm offers for a network, downloaded if they are not on this machine.

    Args:
        name: timm's own, without the prefix.

    Raises:
        UserError: There are none, or they cannot be had.
    """
    timm = _timm(name)
    config = timm.get_pretrained_cfg(name)
    source = config and (config.file or config.hf_hub_id or config.url)
    if not source:
        raise UserError(f"timm has no weights for {name}; give model.weights null, or a file")
    try:
        settings = probe(timm.create_model, name).settings
        network = create(timm.create_model, name, settings, pretrained=True)
    except Exception as error:  # the hub's client, the network and damaged files raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"the weights of {PREFIX}{name} cannot be had: {reason}; fetch {source} from the "
            "Hugging Face hub on a machine with access, and copy its cache ($HF_HOME) here"
        ) from error
    return {f"model.{key}": value for key, value in network.state_dict().items()}


class _TimmBackbone(Backbone):
    """A timm network's unpooled features as a map."""

    def __init__(self, network: nn.Module, layout: FeatureLayout, *, class_token: bool) -> None:
        super().__init__()
        self.model = network
        self.channels = layout.channels
        self.only_class_token = class_token
        self._layout = layout
        self._depths = _depths(network)
        if not layout.whole:
            # Parameters that no gradient reaches stop data-parallel training.
            for name, parameter in network.named_parameters():
                parameter.requires_grad_(not name.startswith("head"))

    def forward(self, pictures: Tensor) -> Tensor:
        layout = self._layout
        if layout.cell is None:
            pictures = stretched(pictures, layout.size, layout.size)
        else:
            pictures = nearest_multiple(pictures, layout.cell)
        given = features(self.model, pictures, whole=layout.whole)
        if self.only_class_token:
            return given[:, 0, :, None, None]
        if layout.kind == "tokens":
            rows, columns = (side // layout.stride for side in pictures.shape[-2:])
            patches = given[:, layout.prefix :].transpose(1, 2)
            return patches.reshape(given.shape[0], layout.channels, rows, columns)
        return given.movedim(-1, 1) if layout.kind == "channels last" else given

    def depth_of(self, parameter: str) -> int:
        return self._depths[parameter.removeprefix("model.")]


def _timm(name: str) -> Any:
    try:
        import timm
    except ImportError as error:
        raise UserError(f"backbone {PREFIX}{name} needs timm; {_INSTALL}") from error
    if not timm.is_model(name):
        near = timm.list_models(f"*{name.partition('.')[0]}*")[:3]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise ValueError(f"backbone {PREFIX}{name}: timm has no network {name!r}{hint}")
    return timm


def _depths(network: nn.Module) -> dict[str, int]:
    """Parameter → depth, by timm's own table of the network's stages or blocks."""
    names = [name for name, _ in network.named_parameters()]
    matcher = getattr(network, "group_matcher", None)
    if matcher is None:
        return dict.fromkeys(names, 0)
    from timm.models import group_parameters

    found = group_parameters(network, matcher(coarse=True), reverse=True)
    return {name: int(found[name]) for name in names}
