"""Memory and time of the loss with its gradient, in blocks and from the whole matrix.

`python -m benchmarks.loss`, or with another number of rows: `python -m benchmarks.loss 8192`.
"""

import sys

import torch
from torch.nn import functional

from benchmarks.peak import Peak, default_device, in_a_process, measure, tell
from sscd.losses.blocks import block_rows, contrastive_totals
from sscd.losses.entropy import entropy_loss
from sscd.losses.info_nce import info_nce
from sscd.losses.relations import relations
from sscd.losses.rows import Rows

ROWS = 8192
DIMS = 256


def run(rows: int = ROWS) -> str:
    """One line each."""
    names = {"blocks": f"blocks of {block_rows(rows)}", "whole": "whole matrix"}
    lines = [f"loss over {rows:,} x {rows:,}, {DIMS} dimensions, {default_device().type}"]
    for task, name in names.items():
        peak = in_a_process("benchmarks.loss", task, str(rows))
        lines.append(f"  {name:<16} {peak.added:6.0f} MiB, {peak.seconds:.2f} s")
    return "\n".join(lines)


def _step(task: str, rows: int) -> Peak:
    device = default_device()
    z = functional.normalize(torch.randn(rows, DIMS, device=device), dim=1).requires_grad_()
    contents = torch.arange(rows // 2, device=device).repeat_interleave(2).unsqueeze(1)

    def blocks() -> None:
        own = Rows(z, contents)
        totals = contrastive_totals(own, own)
        (totals.instance + 10.0 * totals.entropy).backward()  # type: ignore[no-untyped-call]

    def whole() -> None:
        similarity = z @ z.T
        related = relations(contents, contents)
        contrast, _ = info_nce(similarity, related)
        entropy, _ = entropy_loss(z, z, similarity, related)
        (contrast.sum() + 10.0 * entropy.sum()).backward()  # type: ignore[no-untyped-call]

    return measure({"blocks": blocks, "whole": whole}[task], device=device)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--child", name, count]:
            tell(_step(name, int(count)))
        case [count]:
            print(run(int(count)))  # noqa: T201
        case _:
            print(run())  # noqa: T201
