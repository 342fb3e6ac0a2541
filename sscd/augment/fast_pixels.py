"""Hue and blur by OpenCV where it is installed: much faster than Pillow, the same to the eye.

Of the training views these two cost most. Validation queries and benchmarks keep to Pillow, whose
bytes do not depend on what is installed.
"""

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.opencv import has_opencv, opencv

# Pillow's three box blurs are no Gaussian below; OpenCV's is one.
_LEAST_BLUR = 1.0


def hue(image: Image.Image, *, shift: float) -> Image.Image:
    """`operations.hue`, to within rounding (48 dB)."""
    if not has_opencv():
        return operations.hue(image, shift=shift)
    cv2 = opencv()
    turned = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2HSV_FULL)
    turned[..., 0] += np.uint8(int(shift * 255) % 256)
    return Image.fromarray(cv2.cvtColor(turned, cv2.COLOR_HSV2RGB_FULL))


def gaussian_blur(image: Image.Image, *, radius: float) -> Image.Image:
    """`operations.gaussian_blur`, to within the error of its three boxes (50 dB)."""
    if radius < _LEAST_BLUR or not has_opencv():
        return operations.gaussian_blur(image, radius=radius)
    cv2 = opencv()
    blurred = cv2.GaussianBlur(np.asarray(image), (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return Image.fromarray(blurred)
