"""What a training costs its network, counted from the configuration before it begins.

The unit is a view of 64 pixels through a ResNet18, forward and backward, by counted operations: it
is the same on every machine. What is not the network (decoding, edits, the loss) is not counted;
seconds stand beside it in the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sscd.errors import UserError

UNIT_BACKBONE, UNIT_SIZE = "resnet18", 64
TOLERANCE = 0.02
# A third pass, without gradient, beside one forward and a backward of two.
_CACHING = 4 / 3


@dataclass(frozen=True)
class Cost:
    """What a training costs.

    Attributes:
        views: Views through the network, of any size.
        by_epoch: The same in views of 64 pixels through a ResNet18, up to the end of each epoch.
    """

    views: int
    by_epoch: tuple[float, ...]

    @property
    def units(self) -> float:
        """All of it, in views of 64 pixels through a ResNet18."""
        return self.by_epoch[-1]


def cost_of(config: Mapping[str, Any], *, pictures: int) -> Cost:
    """The cost of a training.

    Args:
        config: As `sscd train --print_config` has it, with all defaults.
        pictures: Training pictures that there are.

    Raises:
        UserError: It has a setting whose cost is not known.
    """
    data, model, trainer = config["data"], config["model"], config["trainer"]
    if model["adversarial"]["share"]:
        raise UserError("model.adversarial costs passes that the budget does not count; set 0")
    if model["weights"] is not None or model["teacher"]["path"] is not None:
        raise UserError(
            "model.weights and model.teacher bring what other trainings have learnt, which the "
            "budget does not count; leave them out"
        )
    if trainer["limit_train_batches"] is not None or trainer["accumulate_grad_batches"] != 1:
        raise UserError("trainer: the budget counts whole epochs, a step a batch; leave others out")
    batch = data["batch_size"]
    steps = min(pictures, data["max_training"] or pictures) // batch
    epochs, most = trainer["max_epochs"], trainer["max_steps"]
    if not epochs or epochs < 1:
        raise UserError("trainer.max_epochs is not set; a training with a budget has an end")
    micro = model["micro_batch"]
    repeated = _CACHING if micro is not None and micro < batch else 1.0
    network = model["network"]
    a_view = partial(view_cost, network["backbone"], last_stage=network["last_stage"])
    views, units = 0, 0.0
    by_epoch = []
    for epoch in range(epochs):
        now = steps if most is None or most < 0 else max(0, min(steps, most - epoch * steps))
        for count, size in views_of(data, epoch=epoch, epochs=epochs):
            views += now * batch * count
            units += now * batch * count * a_view(size) * repeated
        by_epoch.append(units)
    return Cost(views, tuple(by_epoch))


def steps_of(config: Mapping[str, Any], *, pictures: int) -> int:
    """The steps of a whole training."""
    data, trainer = config["data"], config["trainer"]
    one = min(pictures, int(data["max_training"] or pictures)) // int(data["batch_size"])
    most: int | None = trainer["max_steps"]
    steps = one * int(trainer["max_epochs"])
    return steps if most is None or most < 0 else min(steps, most)


def views_of(data: Mapping[str, Any], *, epoch: int, epochs: int) -> list[tuple[int, int]]:
    """How many views of which side a picture has in an epoch.

    Args:
        data: That section of the configuration.
        epoch: From 0.
        epochs: Of the whole training.
    """
    from sscd.augment.progression import size_at

    size = size_at(data.get("progression") or (), epoch, epochs, image_size=int(data["image_size"]))
    views = int(data["views"]) + (data.get("unedited") is not None)
    local = data.get("local") or {"views": 0}
    return [(views, size), *([(int(local["views"]), int(local["size"]))] if local["views"] else [])]


@cache
def view_cost(backbone: str, size: int, *, last_stage: int = 4) -> float:
    """What a view costs in units, by counted operations of its forward and backward pass.

    Args:
        backbone: As `model.network.backbone`.
        size: Its side in pixels.
        last_stage: Of a ResNet, where it ends.
    """
    return _operations(backbone, size, last_stage) / _operations(UNIT_BACKBONE, UNIT_SIZE, 4)


@cache
def _operations(backbone: str, size: int, last_stage: int) -> float:
    from benchmarks.training.hardware import flops_of_step
    from sscd.models.descriptor import DescriptorNet, NetworkConfig

    network = DescriptorNet(NetworkConfig(backbone=backbone, last_stage=last_stage))
    return flops_of_step(network, image_size=size)


def check_budget(cost: Cost, *, budget: float, row: str) -> None:
    """Check that a row costs no more than all others may.

    Raises:
        UserError: It is over the budget by more than 2 %.
    """
    if cost.units > budget * (1 + TOLERANCE):
        share = cost.units / budget
        raise UserError(
            f"row {row} costs {cost.units:,.0f} views at {UNIT_SIZE} px, {share:.2f} × the budget "
            f"of {budget:,.0f}; lower trainer.max_epochs to {share**-1:.0%} of its epochs, or its "
            "views or their size"
        )
