"""The objective of one process against loops; the schedule of the entropy weight."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from sscd.losses.instance import InfoNCE
from sscd.training.steps.memory_queue import MemoryConfig, MemoryQueue
from sscd.training.steps.objective import compute_objective
from sscd.training.steps.objective_config import ObjectiveConfig


def test_weight_waits_then_rises() -> None:
    config = ObjectiveConfig(entropy_weight=10.0, entropy_delay=0.2, entropy_ramp=0.5)
    weights = [config.entropy_weight_at(p) for p in (0.0, 0.19, 0.2, 0.45, 0.7, 1.0)]
    assert weights == pytest.approx([0.0, 0.0, 0.0, 5.0, 10.0, 10.0])


def test_published_weight_is_constant() -> None:
    config = ObjectiveConfig(entropy_weight=30.0)
    assert {config.entropy_weight_at(p) for p in (0.0, 0.5, 1.0)} == {30.0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 0.0}, "temperature got 0"),
        ({"entropy_weight": -1.0}, "entropy_weight got -1"),
        ({"entropy_delay": 0.7, "entropy_ramp": 0.6}, "expected at most 1"),
        ({"entropy_delay": -0.1}, "must not be negative"),
        ({"temperature_end": 0.0}, "temperature_end got 0"),
        ({"temperature_end": float("nan")}, "temperature_end got nan"),
        ({"hardness": -0.5}, "objective.hardness got -0.5; expected 0 or more"),
        ({"entropy": "most"}, "objective.entropy got 'most'; expected nearest, uniformity, log_"),
        ({"loss": "margin", "hardness": 1.0}, "hardness is of info_nce, and objective.loss got m"),
        ({"loss": "contrastive", "temperature_end": 0.1}, "leave temperature_end out"),
    ],
)
def test_wrong_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ObjectiveConfig(**values)


def test_temperature_goes_by_half_a_cosine() -> None:
    config = ObjectiveConfig(temperature=0.2, temperature_end=0.04, hardness=0.5)
    for progress, expected in {0.0: 0.2, 1 / 3: 0.16, 0.5: 0.12, 1.0: 0.04}.items():
        loss = config.instance_loss(views=2, seed=0, progress=progress)
        assert isinstance(loss, InfoNCE)
        assert loss.temperature == pytest.approx(expected)
        assert loss.hardness == 0.5
    still = ObjectiveConfig().instance_loss(views=2, seed=0, progress=0.7)
    assert still == InfoNCE(0.05, hardness=0.0)


def test_the_record_names_what_is_in_force() -> None:
    info_nce = ObjectiveConfig(hardness=1.0, entropy="log_det").as_record()
    assert (info_nce["hardness"], info_nce["entropy"]) == (1.0, "log_det")
    assert not {"temperature", "temperature_end", "hardness"} & set(
        ObjectiveConfig(loss="margin").as_record()
    )


@pytest.mark.parametrize("entropy", ["uniformity", "log_det"])
def test_other_entropies_join_the_loss(entropy: Any) -> None:
    z, pictures = small_batch()
    config = ObjectiveConfig(entropy=entropy)
    step, without = (
        compute_objective(
            z, pictures, loss=InfoNCE(0.2), entropy_weight=weight, spread=config.spread()
        )
        for weight in (3.0, 0.0)
    )
    similarity = z.double() @ z.double().T
    if entropy == "uniformity":
        strange = pictures != pictures.T
        expected = torch.exp(-2 * (2 - 2 * similarity[strange])).mean().log()
    else:
        values = torch.linalg.eigvalsh(similarity) * 6 / (9 * 0.5)
        expected = -(1 + values.clamp(min=0)).log().sum() / 12
    assert float(step.entropy) == pytest.approx(float(expected), abs=1e-5)
    assert float(step.loss - without.loss) == pytest.approx(3 * float(expected), abs=1e-5)
    assert float(step.total) == pytest.approx(float(step.loss))


def small_batch(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    z = functional.normalize(torch.randn(9, 6, generator=generator), dim=1)
    return z, torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 4]).unsqueeze(1)


def test_negatives_of_mixed_rows_are_those_that_share_nothing() -> None:
    z, _ = small_batch()
    pictures = torch.tensor(
        [[0, 1], [0, -1], [1, 2], [2, -1], [3, -1], [3, -1], [4, 0], [5, -1], [5, 4]]
    )
    step = compute_objective(z, pictures, loss=InfoNCE(0.2), entropy_weight=1.0)
    shown = [set(row) - {-1} for row in pictures.tolist()]
    similarity = z @ z.T
    strangers = [
        float(similarity[i, j]) for i in range(9) for j in range(9) if not shown[i] & shown[j]
    ]
    assert float(step.negative_similarity) == pytest.approx(np.mean(strangers), abs=1e-6)


@pytest.mark.parametrize("block", [2, None])
def test_equals_loops(block: int | None) -> None:
    z, pictures = small_batch()
    step = compute_objective(z, pictures, loss=InfoNCE(0.2), entropy_weight=3.0, block=block)
    similarity = (z.double() @ z.double().T).tolist()
    shown = pictures.flatten().tolist()
    contrasts, entropies, positives, negatives, nearest = [], [], [], [], []
    for i in range(len(z)):
        strangers = [similarity[i][j] for j in range(len(z)) if shown[j] != shown[i]]
        own = [similarity[i][j] for j in range(len(z)) if shown[j] == shown[i] and j != i]
        others = sum(math.exp(s / 0.2) for s in strangers)
        positives += own
        negatives += strangers
        nearest.append(max(strangers))
        entropies.append(-0.5 * math.log(2 - 2 * max(strangers)))
        contrasts += [-math.log(math.exp(s / 0.2) / (math.exp(s / 0.2) + others)) for s in own]
    expected = {
        "loss": np.mean(contrasts) + 3.0 * np.mean(entropies),
        "info_nce": np.mean(contrasts),
        "entropy": np.mean(entropies),
        "positive_similarity": np.mean(positives),
        "negative_similarity": np.mean(negatives),
        "nearest_negative_similarity": np.mean(nearest),
    }
    got = {key: float(value) for key, value in step.statistics().items()}
    assert {key: got[key] for key in expected} == pytest.approx(expected, abs=1e-5)
    assert float(step.loss) == pytest.approx(got["loss"])
    assert list(got) == [*expected, "center_norm", "effective_rank"]


def test_rows_that_are_negatives_only_are_no_part_of_what_is_told_of_the_others() -> None:
    """They change the negatives, and neither positives nor what the descriptors are like."""
    z, pictures = small_batch()
    only = torch.tensor([False, False, True, False, False, True, False, False, False])
    step = compute_objective(z, pictures, loss=InfoNCE(0.2), entropy_weight=3.0, negative_only=only)
    similarity = (z.double() @ z.double().T).tolist()
    shown = pictures.flatten().tolist()
    contrasts, entropies, positives, between = [], [], [], []
    for i in (n for n in range(len(z)) if not only[n]):
        strangers = [n for n in range(len(z)) if shown[n] != shown[i]]
        own = [n for n in range(len(z)) if shown[n] == shown[i] and n != i and not only[n]]
        entropies.append(-0.5 * math.log(2 - 2 * max(similarity[i][n] for n in strangers)))
        others = sum(math.exp(similarity[i][n] / 0.2) for n in strangers)
        positives += [similarity[i][n] for n in own]
        between += [similarity[i][n] for n in strangers if not only[n]]
        contrasts += [
            -math.log(
                math.exp(similarity[i][n] / 0.2) / (math.exp(similarity[i][n] / 0.2) + others)
            )
            for n in own
        ]
    assert len(contrasts) == 4  # of pictures 1 and 2 one view is left
    assert float(step.instance) == pytest.approx(np.mean(contrasts), abs=1e-5)
    assert float(step.entropy) == pytest.approx(np.mean(entropies), abs=1e-5)
    assert float(step.positive_similarity) == pytest.approx(np.mean(positives), abs=1e-5)
    assert float(step.negative_similarity) == pytest.approx(np.mean(between), abs=1e-5)
    told = z[~only].double()
    assert float(step.center_norm) == pytest.approx(float(told.mean(dim=0).norm()), abs=1e-6)
    moment = told.T @ told
    rank = moment.trace() ** 2 / moment.square().sum()
    assert float(step.effective_rank) == pytest.approx(float(rank), abs=1e-4)


def test_double_precision_is_kept() -> None:
    z, pictures = small_batch()
    step = compute_objective(z.double(), pictures, loss=InfoNCE(0.2), entropy_weight=1.0)
    assert {v.dtype for v in (step.loss, *step.statistics().values())} == {torch.float64}
    half = compute_objective(z.bfloat16(), pictures, loss=InfoNCE(0.2), entropy_weight=1.0)
    assert half.loss.dtype == torch.float32


def test_autocast_does_not_reach_the_loss() -> None:
    z, pictures = small_batch()
    plain = compute_objective(z, pictures, loss=InfoNCE(0.05), entropy_weight=1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = compute_objective(z, pictures, loss=InfoNCE(0.05), entropy_weight=1.0)
    for got, expected in zip(cast.statistics().values(), plain.statistics().values(), strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_no_entropy_weight_leaves_the_entropy_out() -> None:
    # So long that the squared distance overflows, and the products do not.
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]]) * 1.2e19
    z.requires_grad_()
    pictures = torch.tensor([[0], [0], [1], [1]])
    step = compute_objective(z, pictures, loss=InfoNCE(1.0), entropy_weight=0.0)
    assert not step.entropy.isfinite()
    assert float(step.loss.detach()) == float(step.instance) == float(step.total) == 0.0
    step.loss.backward()  # type: ignore[no-untyped-call]
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_nothing_is_read_on_the_host() -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):
        memory = MemoryQueue(MemoryConfig(5), dims=4)
        z = torch.empty(6, 4).requires_grad_()
        step = compute_objective(
            z,
            torch.empty(6, 2, dtype=torch.int64),
            loss=InfoNCE(0.05),
            entropy_weight=1.0,
            memory=memory.remembered(),
            negative_only=torch.zeros(6, dtype=torch.bool),
        )
        memory.enqueue(step.rows)
        step.loss.backward()  # type: ignore[no-untyped-call]
        assert z.grad is not None
