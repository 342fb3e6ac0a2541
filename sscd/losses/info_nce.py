"""InfoNCE over all positives of a row (van den Oord et al. 2018; SSCD, section 3.1, equation 1).

Each positive is compared with the anchor's negatives alone, not with its other positives:
`ℓᵢ = −1/|P(i)| Σ_{j∈P(i)} log( e^{s_ij/τ} / (e^{s_ij/τ} + Σ_{n∈Q(i)} e^{s_in/τ}) )`.

With a hardness β above 0 negative n weighs `w_n ∝ e^{β s_in/τ}`, 1 on average (Robinson et al.,
"Contrastive learning with hard negative samples", ICLR 2021, arXiv 2010.04592, section 3, without
debiasing, τ⁺ = 0): the sum over negatives becomes `Σ_n w_n e^{s_in/τ}`. As in the published code
the weights have a gradient.
"""

import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.precision import at_least_float32
from sscd.losses.relations import Relations


def info_nce(
    similarity: Tensor, relations: Relations, *, temperature: float = 0.05, hardness: float = 0.0
) -> tuple[Tensor, Tensor]:
    """InfoNCE of every anchor row, by log-sum-exp in float32 or wider.

    Args:
        similarity: (N, M) cosine similarities of anchors and gallery.
        relations: Positives and negatives, (N, M) each.
        temperature: τ above 0.
        hardness: β, at least 0; 0 weighs all negatives alike.

    Returns:
        The loss of each row (N,), 0 where a row has no positive or no negative, and the rows
        (N,) bool that have both; the mean is over those.

    Raises:
        ValueError: The temperature, the hardness or a shape does not fit.
    """
    if temperature <= 0:
        raise ValueError(f"temperature got {temperature}; expected a number above 0")
    if hardness < 0:
        raise ValueError(f"hardness got {hardness}; expected 0 or more")
    if similarity.shape != relations.positive.shape:
        raise ValueError(
            f"similarity got shape {tuple(similarity.shape)}; "
            f"expected that of the relations, {tuple(relations.positive.shape)}"
        )
    positive, negative = relations.positive, relations.negative
    valid = positive.any(dim=1) & negative.any(dim=1)
    logits = at_least_float32(similarity) / temperature
    negatives = _log_sum((1 + hardness) * logits if hardness else logits, negative)
    if hardness:
        # Σ w e^a = |Q| Σ e^{(1+β)a} / Σ e^{βa}
        count = negative.sum(dim=1, keepdim=True).clamp(min=1)
        negatives = negatives - _log_sum(hardness * logits, negative) + count.log()
    # −log(e^a / (e^a + e^b)) = softplus(b − a)
    terms = functional.softplus(negatives - logits).masked_fill(~positive, 0.0)
    losses = terms.sum(dim=1) / positive.sum(dim=1).clamp(min=1)
    return losses.masked_fill(~valid, 0.0), valid


def _log_sum(logits: Tensor, chosen: Tensor) -> Tensor:
    """`log Σ e^a` of the chosen ones of each row, (N, 1)."""
    # A finite floor keeps rows without any free of NaN in the backward pass.
    floor = torch.finfo(logits.dtype).min
    return logits.masked_fill(~chosen, floor).logsumexp(dim=1, keepdim=True)
