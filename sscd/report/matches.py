"""Figures to pictures: a sheet of queries beside what was found for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import ImageSet
from sscd.evaluation.candidates import Candidates
from sscd.evaluation.ranking import ranking
from sscd.files import atomic_path

_BACKGROUND = (250, 250, 248)
_INK = (40, 40, 40)
_RIGHT = (34, 139, 84)
_WRONG = (196, 60, 48)


@dataclass(frozen=True)
class Match:
    """A query's best candidate.

    Attributes:
        query: The query's id.
        reference: The reference's id.
        score: Minus squared distance.
        correct: Whether the pair is in the ground truth.
    """

    query: str
    reference: str
    score: float
    correct: bool


def best_matches(candidates: Candidates, reference_ids: Sequence[str]) -> list[Match]:
    """Every query's best candidate, the most confident first; of equal ones the wrong first.

    Args:
        candidates: Scored pairs.
        reference_ids: Id of each row that `candidates.reference` counts.
    """
    order = ranking(candidates.scores, candidates.correct)
    _, first = np.unique(candidates.query[order], return_index=True)
    return [
        Match(
            query=candidates.query_ids[candidates.query[place]],
            reference=reference_ids[candidates.reference[place]],
            score=float(candidates.scores[place]),
            correct=bool(candidates.correct[place]),
        )
        for place in order[np.sort(first)]
    ]


def write_match_sheet(
    path: Path,
    matches: Sequence[Match],
    *,
    queries: ImageSet,
    references: ImageSet,
    tile: int = 112,
    columns: int = 6,
) -> None:
    """Write queries beside their best match: right ones spread over all scores, then wrong ones.

    Args:
        path: A JPEG or PNG file.
        matches: From the most to the least confident.
        queries: Where the pictures of the queries are.
        references: Where the pictures of the references are.
        tile: Side of each picture in pixels.
        columns: Pairs in a row; three rows of right pairs and one of wrong ones.

    Raises:
        UserError: The file cannot be written.
    """
    right = _spread([m for m in matches if m.correct], 3 * columns)
    wrong = [m for m in matches if not m.correct][:columns]
    places = [
        {image_id: index for index, image_id in enumerate(images.ids)}
        for images in (queries, references)
    ]
    pair_width, pair_height, heading = 2 * tile + 12, tile + 26, 24
    rows = [(_rows(right, columns), "Copies that were found, from the most to the least certain")]
    rows.append((_rows(wrong, columns), "The most confident mistakes"))
    height = sum(heading + len(group) * pair_height for group, _ in rows if group)
    sheet = Image.new("RGB", (columns * pair_width + 12, max(height, 1) + 8), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    y = 4
    for group, title in rows:
        if not group:
            continue
        draw.text((12, y + 4), title, fill=_INK, font=ImageFont.load_default(14))
        y += heading
        for row in group:
            for column, match in enumerate(row):
                x = 12 + column * pair_width
                pair = (
                    queries.path(places[0][match.query]),
                    references.path(places[1][match.reference]),
                )
                _draw_pair(sheet, draw, match, pair, place=(x, y), tile=tile)
            y += pair_height
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="PNG" if path.suffix == ".png" else "JPEG", quality=88)


def _draw_pair(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    match: Match,
    pair: tuple[Path, Path],
    *,
    place: tuple[int, int],
    tile: int,
) -> None:
    x, y = place
    for offset, picture in zip((0, tile), pair, strict=True):
        sheet.paste(_thumbnail(picture, tile), (x + offset, y))
    color = _RIGHT if match.correct else _WRONG
    draw.rectangle((x, y, x + 2 * tile - 1, y + tile - 1), outline=color, width=2)
    draw.text((x, y + tile + 3), f"{match.score:.3f}", fill=color, font=ImageFont.load_default(12))


def _thumbnail(path: Path, side: int) -> Image.Image:
    canvas = Image.new("RGB", (side, side), (225, 225, 222))
    try:
        picture = load_image(path, draft=side)
    except UnreadableImage:
        return canvas
    picture.thumbnail((side, side))
    canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return canvas


def _spread(matches: list[Match], count: int) -> list[Match]:
    if len(matches) <= count:
        return matches
    return [matches[round(i * (len(matches) - 1) / (count - 1))] for i in range(count)]


def _rows(matches: Sequence[Match], columns: int) -> list[Sequence[Match]]:
    return [matches[i : i + columns] for i in range(0, len(matches), columns)]
