"""Pictures to descriptors as at inference, with a gradient down to their pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sscd.augment.inference import InferenceSize
from sscd.augment.tensors import resize_target
from sscd.models.descriptor import DescriptorNet


@dataclass(frozen=True)
class DifferentiableDescriber:
    """A network behind the resizing that its pictures get at inference.

    Pillow's bilinear resampling is torch's with antialiasing, up to its rounding to whole pixels.

    Attributes:
        network: In evaluation mode, on the device of the pictures.
        inference: How pictures are resized.
    """

    network: DescriptorNet
    inference: InferenceSize

    def __call__(self, pictures: Sequence[Tensor]) -> Tensor:
        """Describe pictures of any sizes.

        Args:
            pictures: Tensors (1, 3, H, W), floats from 0 to 255.

        Returns:
            Unit-norm descriptors (B, D).
        """
        resized = [self._resize(picture) for picture in pictures]
        places: dict[torch.Size, list[int]] = {}
        for place, picture in enumerate(resized):
            places.setdefault(picture.shape, []).append(place)
        described = torch.cat(
            [self._describe([resized[place] for place in group]) for group in places.values()]
        )
        order = [place for group in places.values() for place in group]
        back = sorted(range(len(order)), key=order.__getitem__)
        return described[back]

    def _resize(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        wide, high = resize_target(
            width, height, size=self.inference.size, mode=self.inference.mode
        )
        if (wide, high) == (width, height):
            return picture
        return functional.interpolate(picture, size=(high, wide), mode="bilinear", antialias=True)

    def _describe(self, pictures: list[Tensor]) -> Tensor:
        mean, std = self.network.image_mean, self.network.image_std
        described: Tensor = self.network((torch.cat(pictures) - mean) / std)
        return described
