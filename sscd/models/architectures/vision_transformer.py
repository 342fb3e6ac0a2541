"""torchvision's vision transformers (Dosovitskiy et al., ICLR 2021), for pictures of any size."""

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sscd.models.architectures.backbone import Backbone, nearest_multiple

VISION_TRANSFORMERS = ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14")


def build_vision_transformer(name: str, *, class_token: bool) -> Backbone:
    """Build one of torchvision's vision transformers with random weights.

    Args:
        name: One of `VISION_TRANSFORMERS`.
        class_token: Give the class token alone, as a map of one cell.
    """
    from torchvision import models

    return _VisionTransformer(getattr(models, name)(weights=None), class_token=class_token)


class _VisionTransformer(Backbone):
    """Patch tokens as a map; the parameter names stay torchvision's.

    The position embeddings are those of 224 pixels. For other sizes they are interpolated in
    each forward pass, so that one network describes pictures of any size and shape.
    """

    def __init__(self, network: nn.Module, *, class_token: bool) -> None:
        super().__init__()
        whole = cast(Any, network)
        self.channels: int = whole.hidden_dim
        self.patch: int = whole.patch_size
        self.only_class_token = class_token
        self.class_token: nn.Parameter = whole.class_token
        self.conv_proj: nn.Module = whole.conv_proj
        self.encoder: Any = whole.encoder

    def forward(self, pictures: Tensor) -> Tensor:
        patches = self.conv_proj(nearest_multiple(pictures, self.patch))
        rows, columns = patches.shape[-2:]
        # len() would fix the batch size of an exported graph.
        token = self.class_token.expand(patches.shape[0], -1, -1)
        tokens = torch.cat([token, patches.flatten(2).transpose(1, 2)], dim=1)
        tokens = self.encoder.dropout(tokens + self._positions(rows, columns))
        given: Tensor = self.encoder.ln(self.encoder.layers(tokens))
        if self.only_class_token:
            return given[:, 0, :, None, None]
        return given[:, 1:].transpose(1, 2).reshape(given.shape[0], -1, rows, columns)

    def depth_of(self, parameter: str) -> int:
        if parameter.startswith("encoder.layers.encoder_layer_"):
            return int(parameter.split(".")[2].rpartition("_")[2]) + 1
        return len(self.encoder.layers) if parameter.startswith("encoder.ln") else 0

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Position embeddings (1, 1 + rows·columns, C) of a map of patches."""
        embedding: Tensor = self.encoder.pos_embedding
        side = math.isqrt(embedding.shape[1] - 1)
        if (rows, columns) == (side, side):
            return embedding
        square = embedding[:, 1:].transpose(1, 2).reshape(1, -1, side, side).float()
        resized = functional.interpolate(
            square, size=(rows, columns), mode="bicubic", antialias=True, align_corners=False
        )
        spread = resized.to(embedding.dtype).flatten(2).transpose(1, 2)
        return torch.cat([embedding[:, :1], spread], dim=1)
