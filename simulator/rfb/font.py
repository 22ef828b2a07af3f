"""A bitmap font of 5 by 7 dots (and two below the line) for ASCII, drawn into the 9 by 16 cells of a text screen."""

from functools import lru_cache

from simulator.cluster import DATA

CELL_WIDTH, CELL_HEIGHT = 9, 16
FIRST, LAST = 32, 127
TOP = 1  # empty lines above a glyph
HEIGHTS = (2, 1, 2, 2, 2, 2, 2, 1, 1)  # lines of each row of dots


@lru_cache(maxsize=1)
def glyphs() -> list[list[int]]:
    """For each character from space on: 16 lines, the leftmost pixel in the highest of 9 bits."""
    bands = (DATA / "font.txt").read_text().strip("\n").split("\n\n")
    result = []
    for band in bands:
        rows = [line.split("|") for line in band.split("\n")]
        result += [cell([row[column] for row in rows]) for column in range(len(rows[0]))]
    return result


def cell(dots: list[str]) -> list[int]:
    """Stretch dots to pixels: most of them two lines high, and all so wide that strokes meet."""
    lines = [0] * CELL_HEIGHT
    line = TOP
    for row, height in zip(dots, HEIGHTS, strict=True):
        bits = 0
        for column, dot in enumerate(row):
            if dot == "#":
                left = column * 3 // 2
                bits |= 0b11 << (CELL_WIDTH - 2 - left)
        lines[line : line + height] = [bits] * height
        line += height
    return lines


def glyph(character: str) -> list[int]:
    code = ord(character)
    return glyphs()[(code if FIRST <= code <= LAST else ord("?")) - FIRST]
