"""How deep each parameter of a descriptor network lies, for learning rates by depth."""

from sscd.models.descriptor import DescriptorNet


def steps_below_head(network: DescriptorNet) -> dict[str, int]:
    """How many stages, or blocks of a transformer, lie from the head down to each parameter.

    Args:
        network: Any descriptor network.

    Returns:
        Parameter's name → 0 in the head, 1 in the last stage, and so on down to the stem.
    """
    backbone = network.backbone
    depths = {name: backbone.depth_of(name) for name, _ in backbone.named_parameters()}
    head = max(depths.values(), default=0) + 1
    below = {f"backbone.{name}": head - depth for name, depth in depths.items()}
    return {name: below.get(name, 0) for name, _ in network.named_parameters()}
