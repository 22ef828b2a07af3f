"""A text screen of 80 by 25 characters that knows what changed, and turns cells into pixels."""

from dataclasses import dataclass, field
from functools import lru_cache

from simulator.rfb.font import CELL_HEIGHT, CELL_WIDTH, glyph

COLUMNS, ROWS = 80, 25
WIDTH, HEIGHT = COLUMNS * CELL_WIDTH, ROWS * CELL_HEIGHT
GREY, WHITE, GREEN, YELLOW, CYAN, RED, BLACK, BLUE = range(8)
PALETTE = {
    GREY: (170, 170, 170), WHITE: (255, 255, 255), GREEN: (85, 220, 85), YELLOW: (240, 220, 90),
    CYAN: (90, 210, 230), RED: (255, 90, 90), BLACK: (12, 14, 18), BLUE: (24, 52, 104),
}  # fmt: skip
Cell = tuple[str, int, int]  # character, ink, paper
EMPTY: Cell = (" ", GREY, BLACK)


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How a client wants its pixels: bytes each, order, and where red, green and blue are."""

    bytes_each: int = 4
    big_endian: bool = False
    maxima: tuple[int, int, int] = (255, 255, 255)
    shifts: tuple[int, int, int] = (16, 8, 0)

    def pixel(self, color: int) -> bytes:
        value = 0
        for part, maximum, shift in zip(PALETTE[color], self.maxima, self.shifts, strict=True):
            value |= (part * maximum // 255) << shift
        return value.to_bytes(self.bytes_each, "big" if self.big_endian else "little")


@lru_cache(maxsize=4096)
def cell_lines(cell: Cell, pixels: PixelFormat) -> list[bytes]:
    """The 16 lines of one cell in a client's format."""
    character, ink, paper = cell
    on, off = pixels.pixel(ink), pixels.pixel(paper)
    bits = [1 << shift for shift in range(CELL_WIDTH - 1, -1, -1)]
    return [b"".join(on if line & bit else off for bit in bits) for line in glyph(character)]


@dataclass(slots=True)
class Rectangle:
    """In cells."""

    column: int
    row: int
    width: int
    height: int = 1


@dataclass(slots=True)
class TextScreen:
    cells: list[list[Cell]] = field(default_factory=lambda: [[EMPTY] * COLUMNS for _ in range(ROWS)])
    column: int = 0
    row: int = 0
    ink: int = GREY

    def clear(self) -> None:
        self.cells = [[EMPTY] * COLUMNS for _ in range(ROWS)]
        self.column = self.row = 0

    def put(self, column: int, row: int, text: str, ink: int = GREY, paper: int = BLACK) -> None:
        for offset, character in enumerate(text[: COLUMNS - column]):
            self.cells[row][column + offset] = (character, ink, paper)

    def write(self, text: str, ink: int | None = None) -> None:
        """Write at the cursor as a terminal does; newlines scroll, backspace erases."""
        for character in text:
            if character == "\n":
                self.new_line()
            elif character == "\b":
                self.column = max(self.column - 1, 0)
                self.cells[self.row][self.column] = EMPTY
            else:
                if self.column >= COLUMNS:
                    self.new_line()
                self.cells[self.row][self.column] = (character, self.ink if ink is None else ink, BLACK)
                self.column += 1

    def new_line(self) -> None:
        self.column = 0
        if self.row < ROWS - 1:
            self.row += 1
        else:  # the first line is the title and stays
            self.cells[1:] = [*self.cells[2:], [EMPTY] * COLUMNS]

    def snapshot(self) -> list[list[Cell]]:
        return [list(row) for row in self.cells]


def changes(old: list[list[Cell]] | None, new: list[list[Cell]]) -> list[Rectangle]:
    """What differs, one rectangle for each line that does."""
    if old is None:
        return [Rectangle(0, 0, COLUMNS, ROWS)]
    found = []
    for row, (before, after) in enumerate(zip(old, new, strict=True)):
        if before != after:
            columns = [index for index in range(COLUMNS) if before[index] != after[index]]
            found.append(Rectangle(columns[0], row, columns[-1] - columns[0] + 1))
    return found


def render(cells: list[list[Cell]], rectangle: Rectangle, pixels: PixelFormat) -> bytes:
    """Raw pixels of a rectangle of cells."""
    lines = []
    for row in range(rectangle.row, rectangle.row + rectangle.height):
        part = cells[row][rectangle.column : rectangle.column + rectangle.width]
        columns = [cell_lines(cell, pixels) for cell in part]
        lines += [b"".join(column[line] for column in columns) for line in range(CELL_HEIGHT)]
    return b"".join(lines)
