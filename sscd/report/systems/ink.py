"""Text and marks for pictures of tables, drawn at twice the size that they are meant for."""

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

SCALE = 2
"""Pixels of a picture per unit of layout: screens have two."""

INK, FAINT, RULE = (38, 38, 38), (120, 120, 116), (224, 224, 220)
PAPER = (255, 255, 255)
PLAIN, NORMALISED = (158, 188, 212), (46, 108, 160)

# The font that Pillow brings has Latin letters alone.
_SPELT = {"μ": "u", "λ": "lambda", "×": "x", "†": "*", "…": "..."}
_SPELT |= {"–": "-", "−": "-", "“": '"', "”": '"'}

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Canvas:
    """A picture to be drawn on, in units of layout.

    Attributes:
        image: What is drawn.
    """

    image: Image.Image

    @classmethod
    def blank(cls, width: float, height: float) -> "Canvas":
        """An empty sheet of so many units."""
        return cls(Image.new("RGB", (round(width * SCALE), round(height * SCALE)), PAPER))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        colour: Colour = INK,
        anchor: str = "la",
    ) -> None:
        """Write a line; `anchor` is Pillow's."""
        place = (x * SCALE, y * SCALE)
        self._draw.text(place, spelt(text), fill=colour, font=_font(size), anchor=anchor)

    def box(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, *, line: int = 0
    ) -> None:
        """Fill a rectangle, or with `line` draw its border, so many units wide."""
        corners = (left * SCALE, top * SCALE, max(left, right) * SCALE, bottom * SCALE)
        if line:
            self._draw.rectangle(corners, outline=colour, width=line * SCALE)
        elif right > left:
            self._draw.rectangle(corners, fill=colour)

    def rule(self, left: float, y: float, right: float, colour: Colour = RULE) -> None:
        """Draw a horizontal line."""
        self._draw.line(
            (left * SCALE, y * SCALE, right * SCALE, y * SCALE), fill=colour, width=SCALE
        )

    def pole(self, x: float, top: float, bottom: float, colour: Colour = RULE) -> None:
        """Draw a vertical line."""
        self._draw.line((x * SCALE, top * SCALE, x * SCALE, bottom * SCALE), fill=colour, width=1)

    @property
    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)


def spelt(text: str) -> str:
    """Text in signs that the font has."""
    for sign, other in _SPELT.items():
        text = text.replace(sign, other)
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in text)


def width_of(text: str, *, size: float = 13) -> float:
    """How wide a line is, in units of layout."""
    return float(_font(size).getlength(spelt(text))) / SCALE


def wrapped(text: str, width: float, *, size: float = 13) -> list[str]:
    """A text as lines of a width at most, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size=size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)
