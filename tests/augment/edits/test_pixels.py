import numpy as np
import pytest
from PIL import Image

from sscd.augment import operations
from sscd.augment.augly import ops as augly_ops
from sscd.augment.edits import pixels
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.operation import Operation, Parameters


def _apply(operation: Operation, image: Image.Image) -> tuple[Image.Image, Parameters]:
    edited, parameters = operation(Canvas.of(image), np.random.default_rng(0), None)
    return edited.image, parameters


def test_the_blur_grows_with_the_picture(photo: Image.Image) -> None:
    blurred, parameters = _apply(pixels.Blur((0.05, 0.05)), photo)
    assert parameters == {"radius": pytest.approx(3.0)}
    assert blurred.tobytes() == operations.gaussian_blur(photo, radius=3.0).tobytes()
    larger = _apply(pixels.Blur((0.05, 0.05)), photo.resize((160, 120)))[1]
    assert larger == {"radius": pytest.approx(6.0)}


def test_dithering_mixes_few_colors_into_the_means() -> None:
    photo = Image.linear_gradient("L").convert("RGB")
    dithered, _ = _apply(pixels.PaletteDithering((4, 4)), photo)
    flat = photo.quantize(4).convert("RGB")
    assert len(dithered.getcolors() or []) == 4

    def error(image: Image.Image) -> float:  # as seen from afar
        blurred = operations.gaussian_blur(image, radius=4)
        afar = np.asarray(blurred, dtype=float) - np.asarray(
            operations.gaussian_blur(photo, radius=4), dtype=float
        )
        return float(np.abs(afar).mean())

    assert error(dithered) < 0.8 * error(flat)


def test_jpeg_and_edges_are_auglys(photo: Image.Image) -> None:
    encoded, parameters = _apply(pixels.JpegQuality((7, 7)), photo)
    assert parameters == {"quality": 7}
    assert encoded.tobytes() == augly_ops.encode_jpeg(photo, quality=7).tobytes()
    soft, sharp = (_apply(pixels.EdgeEnhance((kind,)), photo)[0] for kind in EDGES)
    gains = [np.asarray(one.convert("L"), dtype=float).std() for one in (photo, soft, sharp)]
    assert gains == sorted(gains)


EDGES: tuple[augly_ops.EdgeFilter, ...] = ("edge_enhance", "edge_enhance_more")


def test_a_mosaic_has_so_many_squares() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8))
    mosaic, parameters = _apply(pixels.Pixelization((6, 6)), noise)
    assert parameters == {"blocks": 6}
    assert len(mosaic.getcolors(5000) or []) == 6 * 8
    twin = np.asarray(noise, dtype=float).reshape(6, 10, 8, 10, 3).mean((1, 3))
    assert np.abs(np.asarray(mosaic)[::10, ::10] - twin).max() <= 1  # rounded in each direction
    assert _apply(pixels.Pixelization((60, 99)), noise)[0].tobytes() == noise.tobytes()


def test_shuffling_keeps_all_pixels_and_moves_the_share() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8))
    shuffled, parameters = _apply(pixels.PixelShuffling((0.3, 0.3)), noise)
    before, after = (np.asarray(image).reshape(-1, 3) for image in (noise, shuffled))
    assert (before != after).any(axis=1).mean() == pytest.approx(0.3, abs=0.01)
    assert sorted(before.tolist()) == sorted(after.tolist())
    assert parameters["share"] == pytest.approx(0.3)
    seed = parameters["seed"]
    assert isinstance(seed, int)
    again = augly_ops.shuffle_pixels(noise, share=0.3, seed=seed)
    assert again.tobytes() == shuffled.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
def test_thin_pictures_are_shuffled_within(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (shape[1], shape[0], 3), dtype=np.uint8)
    shuffled = augly_ops.shuffle_pixels(Image.fromarray(noise), share=0.5, seed=1)
    assert shuffled.size == shape
    known = {tuple(pixel) for pixel in noise.reshape(-1, 3).tolist()}
    assert {tuple(pixel) for pixel in np.asarray(shuffled).reshape(-1, 3).tolist()} <= known


def test_noise_has_its_deviation() -> None:
    grey = Image.new("RGB", (120, 90), (128, 128, 128))
    noisy, _ = _apply(pixels.RandomNoise((0.1, 0.1)), grey)
    values = np.asarray(noisy, dtype=float)
    assert values.std() == pytest.approx(25.5, rel=0.02)
    assert values.mean() == pytest.approx(127.5, abs=0.5)


def test_global_randomness_is_left_alone(photo: Image.Image) -> None:
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random(3).tolist()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    _apply(pixels.RandomNoise((0.1, 0.1)), photo)
    _apply(pixels.PixelShuffling((0.3, 0.3)), photo)
    assert np.random.random(3).tolist() == expected  # noqa: NPY002


def test_bricks_are_recorded(photo: Image.Image) -> None:
    built, parameters = _apply(pixels.Legofy((6, 6)), photo)
    assert parameters == {"bricks": 6, "brick": 10}
    assert built.size == photo.size
