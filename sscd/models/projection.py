"""What may follow a network's own descriptor: a projection learnt on training pictures."""

from torch import Tensor, nn
from torch.nn import functional


class DescriptorProjection(nn.Module):
    """`(x − mean) · matrix`, then L2: centring, PCA or PCA whitening, inside the network.

    What `sscd.search.postprocessing.projection.Projection` does to descriptor files (Jégou and
    Chum, ECCV 2012), so that a network that leaves the house describes whitened by itself. It is
    learnt once and not trained.

    Args:
        mean: (D,) float32, of training descriptors.
        matrix: (D, d) float32.

    Raises:
        ValueError: Their shapes do not fit, or a value is not finite.
    """

    mean: Tensor
    matrix: Tensor

    def __init__(self, mean: Tensor, matrix: Tensor) -> None:
        super().__init__()
        if mean.ndim != 1 or matrix.ndim != 2 or len(mean) != len(matrix) or not matrix.numel():
            raise ValueError(
                f"got mean {tuple(mean.shape)}, matrix {tuple(matrix.shape)}; expected (D,), (D, d)"
            )
        if not (mean.isfinite().all() and matrix.isfinite().all()):
            raise ValueError("got a mean or a matrix that is not finite; expected numbers")
        self.register_buffer("mean", mean.detach().clone().float())
        self.register_buffer("matrix", matrix.detach().clone().float())

    @property
    def dims(self) -> int:
        """Dimensions d of what it makes."""
        return int(self.matrix.shape[1])

    def forward(self, descriptors: Tensor) -> Tensor:
        """Project unit descriptors (B, D) to unit descriptors (B, d), float32.

        A descriptor that equals the mean has no direction and becomes zero.
        """
        return functional.normalize((descriptors.float() - self.mean) @ self.matrix, dim=1)
