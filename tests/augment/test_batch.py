import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import stats
from torch import Tensor

from sscd.augment.batch import apply_photometric
from sscd.augment.photometric import (
    BRIGHTNESS,
    COLUMNS,
    CONTRAST,
    HUE,
    SATURATION,
    Photometric,
    pack,
)
from sscd.augment.tensors import to_uint8_tensor
from sscd.data.procedural import draw_picture

Draw = Callable[[float], Photometric]
Statistic = Callable[[Tensor], NDArray[np.float64]]

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    ),
]
FACTORS = (0.2, 0.5, 0.9, 1.1, 1.5, 1.8)
SINGLE = [
    *[Photometric((BRIGHTNESS,), brightness=factor) for factor in FACTORS],
    *[Photometric((CONTRAST,), contrast=factor) for factor in FACTORS],
    *[Photometric((SATURATION,), saturation=factor) for factor in FACTORS],
    *[Photometric((HUE,), hue=hue) for hue in (-0.2, -0.1, -0.01, 0.0, 0.05, 0.2)],
    Photometric(greyscale=True),
]
QUALITIES = (0, 1, 5, 10, 20, 35, 50, 65, 80, 95, 100)


def draw_photometric(rng: np.random.Generator, *, size: int) -> Photometric:
    """Parameters of the ADVANCED recipe, by its probabilities."""
    return Photometric(
        jitter_order=tuple(rng.permutation(4).tolist()) if rng.random() < 0.8 else (),
        brightness=float(rng.uniform(0.2, 1.8)),
        contrast=float(rng.uniform(0.2, 1.8)),
        saturation=float(rng.uniform(0.2, 1.8)),
        hue=float(rng.uniform(-0.2, 0.2)),
        greyscale=bool(rng.random() < 0.2),
        blur=float(rng.uniform(1, 5)) * size / 224 if rng.random() < 0.5 else 0.0,
        jpeg=int(rng.integers(0, 101)) if rng.random() < 0.2 else None,
    )


def on_cpu(pictures: list[Image.Image], views: list[Photometric]) -> Tensor:
    changed = [view.apply(image) for image, view in zip(pictures, views, strict=True)]
    return torch.stack([to_uint8_tensor(image) for image in changed])


def on_device(pictures: list[Image.Image], views: list[Photometric], device: str = "cpu") -> Tensor:
    batch = torch.stack([to_uint8_tensor(image) for image in pictures])
    return apply_photometric(batch.to(device), pack(views)).cpu()


def psnr(one: Tensor, other: Tensor) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio of each row, dB; 99 where they are equal."""
    error = (one.double() - other.double()).square().flatten(1).mean(dim=1).numpy()
    return np.asarray(10 * np.log10(255**2 / np.maximum(error, 1e-5)))


def worst(pictures: list[Image.Image], view: Photometric, device: str = "cpu") -> float:
    """Lowest PSNR between the halves over some pictures."""
    views = [view] * len(pictures)
    return float(psnr(on_cpu(pictures, views), on_device(pictures, views, device)).min())


@pytest.fixture(scope="module", params=[33, 96, 224])
def pictures(request: pytest.FixtureRequest) -> list[Image.Image]:
    return [draw_picture(seed=1, index=index, size=request.param) for index in range(5)]


@pytest.fixture(scope="module")
def photographs(photos: Path) -> list[Image.Image]:
    files = sorted(photos.glob("*.jpg"))[::70][:6]
    return [Image.open(file).convert("RGB").resize((224, 224)) for file in files]


@pytest.mark.parametrize("device", DEVICES)
def test_colours_agree_with_pillow(pictures: list[Image.Image], device: str) -> None:
    for view in SINGLE:
        assert worst(pictures, view, device) >= 40, view


@pytest.mark.parametrize("device", DEVICES)
def test_blur_agrees_with_pillow(pictures: list[Image.Image], device: str) -> None:
    scale = pictures[0].width / 224
    for radius in (0.1, 0.5, 1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0):
        assert worst(pictures, Photometric(blur=radius * scale), device) >= 45, radius


@pytest.mark.parametrize("device", DEVICES)
def test_jpeg_agrees_with_pillow(pictures: list[Image.Image], device: str) -> None:
    for quality in QUALITIES:
        assert worst(pictures, Photometric(jpeg=quality), device) >= 30, quality


def test_photographs_agree_with_pillow(photographs: list[Image.Image]) -> None:
    for view in SINGLE:
        assert worst(photographs, view) >= 40, view
    for radius in (1.0, 2.0, 3.5, 5.0):
        assert worst(photographs, Photometric(blur=radius)) >= 45, radius
    for quality in QUALITIES:
        assert worst(photographs, Photometric(jpeg=quality)) >= 35, quality


def test_brightness_is_pillows_to_the_byte(pictures: list[Image.Image]) -> None:
    views = [Photometric((BRIGHTNESS,), brightness=factor) for factor in (0.0, 0.3, 1.0, 1.7, 3.0)]
    assert torch.equal(on_cpu(pictures, views), on_device(pictures, views))


@pytest.mark.parametrize("device", DEVICES)
def test_whole_chain_agrees_with_pillow(device: str) -> None:
    rng = np.random.default_rng(11)
    views = [draw_photometric(rng, size=96) for _ in range(200)]
    some = [draw_picture(seed=2, index=index, size=96) for index in range(20)] * 10
    agreement = psnr(on_cpu(some, views), on_device(some, views, device))
    assert np.quantile(agreement, 0.05) >= 35


@pytest.mark.parametrize("size", [1, 2, 7, 15, 17])
@pytest.mark.parametrize("device", DEVICES)
def test_any_size(size: int, device: str) -> None:
    noise = np.random.default_rng(0).integers(100, 156, (3, 8, 8, 3), dtype=np.uint8)
    small = [Image.fromarray(array).resize((size, size)) for array in noise]
    everything = Photometric((2, 0, 3, 1), 1.2, 0.8, 1.3, 0.1, greyscale=True, blur=0.7, jpeg=90)
    assert worst(small, everything, device) >= 35


def test_empty_batch() -> None:
    views = torch.empty(0, 3, 8, 8, dtype=torch.uint8)
    assert apply_photometric(views, pack([])).shape == (0, 3, 8, 8)


def test_rows_keep_to_themselves() -> None:
    """A row alone comes out as in a batch, but for ties in the blur's rounding."""
    rng = np.random.default_rng(4)
    views = [draw_photometric(rng, size=160) for _ in range(24)] + [Photometric()]
    some = [draw_picture(seed=5, index=index, size=40) for index in range(25)]
    together = on_device(some, views)
    for row, (image, view) in enumerate(zip(some, views, strict=True)):
        alone = on_device([image], [view])[0]
        if view.jpeg is None or view.blur == 0:
            assert int((together[row].int() - alone.int()).abs().max()) <= (view.blur > 0)
    assert torch.equal(together[-1], to_uint8_tensor(some[-1]))


def test_input_memory_format_and_autocast_change_nothing() -> None:
    rng = np.random.default_rng(6)
    parameters = pack([draw_photometric(rng, size=64) for _ in range(16)])
    some = [draw_picture(seed=6, index=index, size=37) for index in range(16)]
    batch = torch.stack([to_uint8_tensor(image) for image in some])
    before, packed = batch.clone(), parameters.clone()
    expected = apply_photometric(batch, parameters)
    assert torch.equal(batch, before)
    assert torch.equal(parameters, packed)
    assert torch.equal(apply_photometric(batch, parameters), expected)
    channels_last = batch.to(memory_format=torch.channels_last)
    assert torch.equal(apply_photometric(channels_last, parameters), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(apply_photometric(batch, parameters), expected)


def test_batches_that_do_not_fit_are_refused() -> None:
    views = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match="views got"):
        apply_photometric(views.float(), pack([Photometric()] * 2))
    with pytest.raises(ValueError, match="views got"):
        apply_photometric(views[:, :1], pack([Photometric()] * 2))
    with pytest.raises(ValueError, match="parameters got"):
        apply_photometric(views, pack([Photometric()] * 3))
    with pytest.raises(ValueError, match="parameters got"):
        apply_photometric(views, torch.zeros(2, COLUMNS, device="meta"))


def draw_subject(*, size: int) -> Image.Image:
    """The picture of the two-sample tests."""
    return draw_picture(seed=1, index=3, size=size)


def mean_level(views: Tensor) -> NDArray[np.float64]:
    return views.double().mean(dim=(1, 2, 3)).numpy()


def spread(views: Tensor) -> NDArray[np.float64]:
    return views.double().mean(dim=1).flatten(1).std(dim=1).numpy()


def colourfulness(views: Tensor) -> NDArray[np.float64]:
    return views.double().std(dim=1).mean(dim=(1, 2)).numpy()


def turn(views: Tensor) -> NDArray[np.float64]:
    """Angle of the mean colour on the colour circle."""
    red, green, blue = views.double().mean(dim=(2, 3)).unbind(1)
    return torch.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue).numpy()


def detail(views: Tensor) -> NDArray[np.float64]:
    return views.double().diff(dim=3).square().mean(dim=(1, 2, 3)).numpy()


def likeliest_quality(views: Tensor) -> NDArray[np.float64]:
    """The JPEG quality at which Pillow's picture of the subject is nearest."""
    qualities = [Photometric(jpeg=quality) for quality in range(101)]
    subject = [draw_subject(size=views.shape[3])] * len(qualities)
    encoded = on_cpu(subject, qualities).flatten(1).float()
    return torch.cdist(views.flatten(1).float(), encoded).argmin(dim=1).double().numpy()


WIDE_BLUR = (1.0, 5.0)
OPERATIONS: list[tuple[Draw, tuple[float, float], Statistic]] = [
    (lambda x: Photometric((BRIGHTNESS,), brightness=x), (0.4, 1.4), mean_level),
    (lambda x: Photometric((CONTRAST,), contrast=x), (0.2, 1.8), spread),
    (lambda x: Photometric((SATURATION,), saturation=x), (0.2, 1.8), colourfulness),
    (lambda x: Photometric((HUE,), hue=x), (-0.2, 0.2), turn),
    (lambda x: Photometric(blur=x), (0.3, 0.9), detail),
    (lambda x: Photometric(blur=x), WIDE_BLUR, spread),
    (lambda x: Photometric(jpeg=round(x)), (10.0, 90.0), likeliest_quality),
]
NAMES = ["brightness", "contrast", "saturation", "hue", "narrow blur", "wide blur", "jpeg"]


@pytest.mark.parametrize(
    ("draw", "limits", "statistic"),
    [
        pytest.param(*one, id=name, marks=[pytest.mark.slow] * (name == "wide blur"))
        for name, one in zip(NAMES, OPERATIONS, strict=True)
    ],
)
def test_halves_are_distributed_alike(
    draw: Draw, limits: tuple[float, float], statistic: Statistic
) -> None:
    """2,000 outputs of each half pass a two-sample test; a range wider by a fifth fails it."""
    # At 32 px a blur of 5 px reaches the edges, which Pillow repeats at each of its three passes.
    picture = [draw_subject(size=64 if limits == WIDE_BLUR else 32)] * 2000
    margin = (limits[1] - limits[0]) / 10
    wider = (limits[0] - margin, limits[1] + margin)
    samples = [
        statistic(half(picture, [draw(float(x)) for x in rng.uniform(*bounds, 2000)]))
        for half, bounds, rng in (
            (on_cpu, limits, np.random.default_rng(1)),
            (on_device, limits, np.random.default_rng(2)),
            (on_device, wider, np.random.default_rng(3)),
        )
    ]
    assert stats.ks_2samp(samples[0], samples[1]).pvalue > 0.01
    assert stats.ks_2samp(samples[0], samples[2]).pvalue < 0.01


def test_greyscale_is_as_frequent_in_both_halves() -> None:
    count, size = 6000, 8
    picture = [draw_subject(size=size)] * count
    grey = [
        int((half(picture, views).double().std(dim=1).amax(dim=(1, 2)) == 0).sum())
        for half, probability, rng in (
            (on_cpu, 0.2, np.random.default_rng(1)),
            (on_device, 0.2, np.random.default_rng(2)),
            (on_device, 0.24, np.random.default_rng(3)),
        )
        for views in [[Photometric(greyscale=bool(x < probability)) for x in rng.random(count)]]
    ]
    tables = [[[grey[0], count - grey[0]], [other, count - other]] for other in grey[1:]]
    assert stats.chi2_contingency(tables[0]).pvalue > 0.01
    assert stats.chi2_contingency(tables[1]).pvalue < 0.01


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_waits_for_nothing_and_agrees_with_the_cpu() -> None:
    rng = np.random.default_rng(8)
    parameters = pack([draw_photometric(rng, size=96) for _ in range(64)])
    some = [draw_picture(seed=7, index=index, size=96) for index in range(16)] * 4
    batch = torch.stack([to_uint8_tensor(image) for image in some])
    device = batch.cuda()
    apply_photometric(device, parameters)  # kornia fills its caches once
    torch.cuda.set_sync_debug_mode("error")
    try:
        changed = apply_photometric(device, parameters)
        again = apply_photometric(device, parameters)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(changed, again)
    assert psnr(changed.cpu(), apply_photometric(batch, parameters)).min() >= 30
