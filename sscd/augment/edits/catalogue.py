"""Every operation by its name in the tables."""

from collections.abc import Mapping

from sscd.augment.edits import colors, compositions, frames, overlays, pixels, spatial
from sscd.augment.edits.air_gap import AirGap
from sscd.augment.edits.operation import Operation
from sscd.augment.edits.salient import CircleSalient, KeepSalientSharp, PasteSalient
from sscd.augment.edits.strokes import Drawing, Handwriting

CATALOGUE: Mapping[str, type[Operation]] = {
    "text_overlay": overlays.OverlayText,
    "emoji_overlay": overlays.OverlayEmoji,
    "stripes": overlays.OverlayStripes,
    "brightness": colors.Brightness,
    "saturation": colors.Saturation,
    "contrast": colors.Contrast,
    "color_jitter": colors.ColorJitter,
    "greyscale": colors.Greyscale,
    "color_filter": colors.ColorFilter,
    "blur": pixels.Blur,
    "palette_dithering": pixels.PaletteDithering,
    "jpeg_quality": pixels.JpegQuality,
    "edge_enhance": pixels.EdgeEnhance,
    "pixelization": pixels.Pixelization,
    "pixel_shuffling": pixels.PixelShuffling,
    "random_noise": pixels.RandomNoise,
    "legofy": pixels.Legofy,
    "crop": spatial.Crop,
    "rotation": spatial.Rotate,
    "rotate_right_angle": spatial.RotateRightAngle,
    "horizontal_flip": spatial.HorizontalFlip,
    "vertical_flip": spatial.VerticalFlip,
    "padding": spatial.Padding,
    "aspect_ratio": spatial.AspectRatio,
    "perspective": spatial.Perspective,
    "onto_drawn_background": compositions.OntoDrawnBackground,
    "onto_background": compositions.OntoBackground,
    "collage": compositions.Collage,
    "into_screenshot": frames.IntoScreenshot,
    "meme_frame": frames.MemeFrame,
    "handwriting": Handwriting,
    "drawing": Drawing,
    "circle_salient": CircleSalient,
    "paste_salient": PasteSalient,
    "keep_salient_sharp": KeepSalientSharp,
    "air_gap": AirGap,
}
