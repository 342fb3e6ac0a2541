"""Describe pictures with an exported network, without torch and without sscd.

Needs: pip install onnxruntime pillow numpy
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def prepare(path, preprocessing):
    """Read a picture as the network was trained to see it: uint8 (1, 3, height, width)."""
    size, mode = preprocessing["size"], preprocessing["mode"]
    with Image.open(path) as image:
        # Large JPEG files are decoded at 1/2, 1/4 or 1/8.
        scale = max(s for s in (1, 2, 4, 8) if s == 1 or s * size <= min(image.size))
        if scale > 1:
            image.draft("", (image.width // scale, image.height // scale))
        upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion cuts off at 255
        grey = np.rint(np.asarray(upright) / 257).clip(0, 255)
        upright = Image.fromarray(grey.astype(np.uint8))
    if upright.has_transparency_data:
        white = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(white, upright.convert("RGBA"))
    rgb = upright.convert("RGB")
    resized = rgb.resize(target(rgb.size, size, mode), Image.Resampling.BILINEAR)
    return np.asarray(resized).transpose(2, 0, 1)[None]


def target(sides, size, mode):
    """The size that a picture of some sides is resized to."""
    short, long = min(sides), max(sides)
    if mode == "square":
        return size, size
    if mode == "short_side":
        new = size, min(size * long // short, 16 * size)
    elif long > size:  # long_side
        new = max(1, round(short * size / long)), size
    else:
        return sides
    return new if sides[0] <= sides[1] else new[::-1]


def main(model, pictures):
    """Print how similar the pictures are, and whether that makes them copies of one another."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["sscd.model_card"])
    rows = np.concatenate(
        [
            session.run(["descriptors"], {"pictures": prepare(path, card["preprocessing"])})[0]
            for path in pictures
        ]
    )
    threshold = card["threshold"] and card["threshold"]["similarity"]
    for first, name in enumerate(pictures):
        for second in range(first):
            similarity = float(rows[first] @ rows[second])
            copies = "unknown" if threshold is None else str(similarity >= threshold)
            sys.stdout.write(f"{similarity:.4f}\tcopies: {copies}\t{pictures[second]}\t{name}\n")
    return rows


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
