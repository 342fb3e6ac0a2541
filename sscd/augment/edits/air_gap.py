"""The air gap: a picture shown on a screen or printed, and photographed (paper, appendix A.2)."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from PIL import Image

from sscd.augment.edits.canvas import Canvas, Fill
from sscd.augment.edits.capture import Exposure, Lens, Moire, beat, blur, expose
from sscd.augment.edits.draws import happens, seed, uniform
from sscd.augment.edits.operation import (
    EditAlone,
    Edited,
    Probability,
    Range,
    Shares,
    Within,
)
from sscd.augment.edits.view import Camera, View, draw_surface, look_at


@dataclass(frozen=True)
class Setting:
    """What the picture is shown on.

    Attributes:
        screen: A screen, or else a print.
        bezel: Width of its border over the picture's short side.
        shade: Grey level of the border.
        ambient: Brightness of what lies around it, over full light.
        surface_seed: Of what lies around it.
    """

    screen: bool
    bezel: float
    shade: int
    ambient: float
    surface_seed: int


@dataclass(frozen=True)
class AirGap(EditAlone):
    """The picture displayed or printed and re-captured (paper, A.2).

    "The effect is a combination of over-exposure, geometric framing and blurriness."

    Attributes:
        screen: How often it is a screen rather than a print; only screens have moiré.
        bezel: Width of the screen's or the paper's border over the short side.
        ambient: Brightness of what lies around a screen, over full light.
        fill: How much of the photograph's width and height the picture takes.
        resolution: Pixels of the photograph over a pixel of the picture.
        tilt: Turn of the plane about each of its axes, degrees.
        roll: Turn of the camera about its own axis, degrees.
        distance: The camera's over the picture's longer side: the nearer, the steeper perspective.
        moire: Strength of the moiré, as a share of the light.
        grid: Rows of a screen's grid over the picture's short side.
        fringes: Beats of the moiré over the photograph's short side, where seen head-on.
        chroma: How colourful the moiré is.
        exposure: Gain of the light; highlights clip.
        curve: Strength of the tone curve.
        cast: Wrong white balance: deviation of red's and blue's gain from 1.
        vignette: Light lost in the corners.
        glare: Light added by a lamp's reflection.
        defocus: Standard deviation of the blur over the short side.
        motion: Movement during the exposure over the short side.
        shot_noise: Variance of the noise over the light.
        read_noise: Standard deviation of the noise in the dark.
    """

    screen: Probability
    bezel: Shares
    ambient: Shares
    fill: Annotated[Range, Within(0.2, 1.0)]
    resolution: Annotated[Range, Within(0.1, 2.0)]
    tilt: Annotated[Range, Within(-60.0, 60.0)]
    roll: Annotated[Range, Within(-180.0, 180.0)]
    distance: Annotated[Range, Within(1.0, 100.0)]
    moire: Shares
    grid: Annotated[Range, Within(1.0, 10_000.0)]
    fringes: Annotated[Range, Within(0.0, 1_000.0)]
    chroma: Shares
    exposure: Annotated[Range, Within(0.1, 10.0)]
    curve: Shares
    cast: Annotated[Range, Within(-0.9, 0.9)]
    vignette: Shares
    glare: Shares
    defocus: Annotated[Range, Within(0.0, 0.1)]
    motion: Annotated[Range, Within(0.0, 0.2)]
    shot_noise: Shares
    read_noise: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Show the picture and photograph it."""
        setting, camera = self._draw_setting(rng), self._draw_camera(rng)
        lens, moire, exposure = self._draw_lens(rng), self._draw_moire(rng), self._draw_shot(rng)
        size = canvas.image.size
        view = look_at(size, camera)
        scene, device = _stage(canvas, view, setting)
        image = blur(scene.image, lens)
        factors = None
        if setting.screen:
            factors = beat(view, moire, period=min(size) / moire.grid)
            # Only the display has a grid, not what lies around it.
            factors[np.asarray(device) < 128] = 1
        parameters: dict[str, object] = {
            "setting": _plain(setting),
            "camera": _plain(camera),
            "lens": _plain(lens),
            "moire": _plain(moire) if setting.screen else None,
            "exposure": _plain(exposure),
        }
        return scene.recolored(expose(image, exposure, factors=factors)), parameters

    def _draw_setting(self, rng: np.random.Generator) -> Setting:
        screen = happens(rng, self.screen)
        shade = int(rng.integers(5, 45) if screen else rng.integers(215, 256))
        ambient = uniform(rng, self.ambient) if screen else 1.0
        return Setting(
            screen=screen,
            bezel=uniform(rng, self.bezel),
            shade=shade,
            ambient=ambient,
            surface_seed=seed(rng),
        )

    def _draw_camera(self, rng: np.random.Generator) -> Camera:
        return Camera(
            tilt=_pair(rng, self.tilt),
            roll=uniform(rng, self.roll),
            distance=uniform(rng, self.distance),
            resolution=uniform(rng, self.resolution),
            fill=_pair(rng, self.fill),
            offset=_pair(rng, (0.0, 1.0)),
        )

    def _draw_lens(self, rng: np.random.Generator) -> Lens:
        return Lens(
            defocus=uniform(rng, self.defocus),
            motion=uniform(rng, self.motion),
            direction=float(rng.uniform(0, 360)),
        )

    def _draw_moire(self, rng: np.random.Generator) -> Moire:
        strength, grid = uniform(rng, self.moire), uniform(rng, self.grid)
        beats, angles = rng.uniform(*self.fringes, 2), rng.uniform(0, 2 * np.pi, 2)
        columns, rows = np.stack([beats * np.cos(angles), beats * np.sin(angles)], axis=1).tolist()
        return Moire(
            strength=strength,
            grid=grid,
            columns=(columns[0], columns[1]),
            rows=(rows[0], rows[1]),
            chroma=uniform(rng, self.chroma),
        )

    def _draw_shot(self, rng: np.random.Generator) -> Exposure:
        warm, green = rng.uniform(*self.cast), 0.3 * rng.uniform(*self.cast)
        return Exposure(
            gain=uniform(rng, self.exposure),
            curve=uniform(rng, self.curve),
            cast=(float(1 + warm), float(1 + green), float(1 - warm)),
            vignette=uniform(rng, self.vignette),
            glare=uniform(rng, self.glare),
            glare_at=_pair(rng, (0.0, 1.0)),
            glare_size=float(rng.uniform(0.15, 0.6)),
            shot_noise=uniform(rng, self.shot_noise),
            read_noise=uniform(rng, self.read_noise),
            noise_seed=seed(rng),
        )


def _plain(part: Setting | Camera | Lens | Moire | Exposure) -> object:
    """Fields as they are once written and read: lists for tuples."""
    return json.loads(json.dumps(asdict(part)))


def _pair(rng: np.random.Generator, bounds: Range) -> tuple[float, float]:
    return uniform(rng, bounds), uniform(rng, bounds)


def _stage(canvas: Canvas, view: View, setting: Setting) -> tuple[Canvas, Image.Image]:
    """Photograph the framed picture before its surroundings, and say where the frame is (L)."""
    border = 1 + round(setting.bezel * min(canvas.image.size))
    shade = (setting.shade,) * 3
    width, height = (side + 2 * border for side in canvas.image.size)
    # Its outermost pixels are clear, so that the frame's edge is smooth.
    device = Image.new("L", (width, height), 0)
    device.paste(255, (1, 1, width - 1, height - 1))
    mask = view.warp(device, 0, border=border)
    surface = draw_surface(
        np.random.default_rng(setting.surface_seed), view.size, light=setting.ambient
    )

    def move(picture: Image.Image, fill: Fill) -> Image.Image:
        framed = Image.new(picture.mode, (width, height), fill)
        framed.paste(picture, (border, border))
        seen = view.warp(framed, fill, border=border)
        return seen if picture.mode == "I" else Image.composite(seen, surface, mask)

    return canvas.moved(move, fill=(shade[0], shade[1], shade[2])), mask
