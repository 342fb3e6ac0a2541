"""Descriptors of views of two sizes, in the order of their rows."""

import pytest
import torch
from torch import Tensor, nn

from sscd.data.loading.view_batch import ViewBatch
from sscd.training.steps.describe_batch import describe_batch


class Means(nn.Module):
    """Describes a picture by its mean and its side, and notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[int, ...]] = []

    def forward(self, pictures: Tensor, *, unit: bool = True) -> Tensor:
        self.seen.append(tuple(pictures.shape))
        mean = pictures.float().mean(dim=(1, 2, 3)) * self.scale
        return torch.stack([mean, torch.full_like(mean, pictures.shape[-1] * unit)], dim=1)


def batch_of(*, local: bool, unedited: bool) -> ViewBatch:
    """Each view of one colour: ten times its picture plus its row."""

    def flat(rows: range, side: int) -> Tensor:
        colors = 10 * torch.arange(3)[:, None] + torch.tensor(list(rows))
        filled = colors[:, :, None, None, None].expand(3, len(rows), 3, side, side)
        return filled.to(torch.uint8)

    first = 2 + 3 * local
    return ViewBatch(
        views=flat(range(2), 8),
        contents=torch.arange(3)[:, None, None].repeat(1, first + unedited, 1),
        unreadable=(),
        local=flat(range(2, 5), 4) if local else None,
        unedited=flat(range(first, first + 1), 8) if unedited else None,
    )


@pytest.mark.parametrize("micro_batch", [None, 2])
@pytest.mark.parametrize(
    ("local", "unedited", "sides"),
    [
        (False, False, [8, 8]),
        (True, False, [8, 8, 4, 4, 4]),
        (False, True, [8, 8, 8]),
        (True, True, [8, 8, 4, 4, 4, 8]),
    ],
)
def test_rows_are_in_order(
    local: bool, unedited: bool, sides: list[int], micro_batch: int | None
) -> None:
    network = Means()
    batch = batch_of(local=local, unedited=unedited)
    described = describe_batch(network, batch, micro_batch=micro_batch)
    rows = len(sides)
    assert described[:, 0].tolist() == [10 * p + r for p in range(3) for r in range(rows)]
    assert described[:, 1].tolist() == sides * 3
    described[:, 0].sum().backward()  # type: ignore[no-untyped-call]
    assert network.scale.grad == described[:, 0].sum()


def test_those_of_one_size_go_through_the_network_together() -> None:
    network = Means()
    described = describe_batch(network, batch_of(local=True, unedited=True), micro_batch=None)
    assert network.seen == [(9, 3, 8, 8), (9, 3, 4, 4)]
    plain = describe_batch(
        network, batch_of(local=True, unedited=True), micro_batch=None, unit=False
    )
    assert plain[:, 1].count_nonzero() == 0
    assert torch.equal(plain[:, 0], described[:, 0])
