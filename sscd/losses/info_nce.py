"""InfoNCE over all positives of a row (van den Oord et al. 2018; SSCD, section 3.1, equation 1).

Each positive is compared with the anchor's negatives alone, not with its other positives:
`ℓᵢ = −1/|P(i)| Σ_{j∈P(i)} log( e^{s_ij/τ} / (e^{s_ij/τ} + Σ_{n∈Q(i)} e^{s_in/τ}) )`.
"""

import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.precision import at_least_float32
from sscd.losses.relations import Relations


def info_nce(
    similarity: Tensor, relations: Relations, *, temperature: float = 0.05
) -> tuple[Tensor, Tensor]:
    """InfoNCE of every anchor row, by log-sum-exp in float32 or wider.

    Args:
        similarity: (N, M) cosine similarities of anchors and gallery.
        relations: Positives and negatives, (N, M) each.
        temperature: τ above 0.

    Returns:
        The loss of each row (N,), 0 where a row has no positive or no negative, and the rows
        (N,) bool that have both; the mean is over those.

    Raises:
        ValueError: The temperature or a shape does not fit.
    """
    if temperature <= 0:
        raise ValueError(f"temperature got {temperature}; expected a number above 0")
    if similarity.shape != relations.positive.shape:
        raise ValueError(
            f"similarity got shape {tuple(similarity.shape)}; "
            f"expected that of the relations, {tuple(relations.positive.shape)}"
        )
    positive, negative = relations.positive, relations.negative
    valid = positive.any(dim=1) & negative.any(dim=1)
    logits = at_least_float32(similarity) / temperature
    # A finite floor keeps rows without negatives free of NaN in the backward pass.
    floor = torch.finfo(logits.dtype).min
    negatives = logits.masked_fill(~negative, floor).logsumexp(dim=1, keepdim=True)
    # −log(e^a / (e^a + e^b)) = softplus(b − a)
    terms = functional.softplus(negatives - logits).masked_fill(~positive, 0.0)
    losses = terms.sum(dim=1) / positive.sum(dim=1).clamp(min=1)
    return losses.masked_fill(~valid, 0.0), valid
